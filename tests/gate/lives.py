"""A life of a gate that ends at a chosen call to the disk: in a child, on a copy of what was prepared."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

from gate.gated import Gated
from ledger.faults import Disk

from watchword.gate import Answer, Gate

Told = Callable[[Answer], None]


def life(
    before: Gated,
    folder: Path,
    breaks: Callable[[], Disk],
    live: Callable[[Gated, Told], None],
    gate: type[Gate] = Gate,
) -> tuple[Gated, Path, int]:
    """Live once on a copy of *before* in *folder*, on a disk that breaks; an effect happens when bytes are told.

    Returns:
        What is left, opened as another process would; the log of effects, one a line; how many calls the disk took.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(before.folder.parent, folder)
    effects, calls = folder.with_suffix(".effects"), folder.with_suffix(".calls")
    effects.write_bytes(b"")
    calls.write_text("0")

    def told(answer: Answer) -> None:
        if answer.action_bytes is not None:
            with effects.open("ab", 0) as log:
                log.write(answer.action_bytes + b"\n")

    child = os.fork()
    if child == 0:
        code = 70
        try:
            one = Gated(folder / "homes", before.clock, before.mandate, before.names)
            one.gate = gate(one.at("ALFA"))
            disk = breaks()  # from here on: what stands between a question and its effect
            live(one, told)
            calls.write_text(str(disk.calls))
            if disk.fault == "power":
                disk.lose_power()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "a life ended in an exception"
    left = Gated(folder / "homes", before.clock, before.mandate, before.names)
    return left, effects, int(calls.read_text())
