"""Transcripts: what a person types and what comes back, as text that a test plays again.

    $ watchword inspect model.pkl   # exit 1
    dangerous[…]  model.pkl @ 0x2 …
    …

A line that starts with ``$ `` is typed (a trailing ``\\`` goes on in the next line); what follows is what it printed,
on stdout and stderr together. ``# exit N`` says the exit code when it is not 0. ``…`` stands for anything within a
line, a line of ``…`` alone for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND_S_MAX = 120
"""One command of a transcript, in seconds. Origin: far above the slowest; a hang must not stop the suite."""


@dataclass(frozen=True)
class Typed:
    """One command: its words, the exit code and the lines that should come."""

    line: int
    command: str
    exits: int
    expected: tuple[str, ...]


def parse(text: str, first_line: int = 1) -> list[Typed]:
    """Read a transcript."""
    found: list[Typed] = []
    lines = iter(enumerate(text.splitlines(), first_line))
    for number, line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines)[1].strip()
            exits = re.search(r"\s+# exit (\d+)$", command)
            bare = command[: exits.start()] if exits else command
            found.append(Typed(number, bare, int(exits[1]) if exits else 0, ()))
        elif found:
            last = found[-1]
            found[-1] = Typed(last.line, last.command, last.exits, (*last.expected, line))
    return found


def play(typed: list[Typed], folder: Path, **environment: str) -> None:
    """Run the commands in *folder*, one after another, and compare.

    Raises:
        AssertionError: another exit code or output; shows both.
    """
    for one in typed:
        done = subprocess.run(
            ["bash", "-c", one.command],
            cwd=folder,
            env=_environment(folder) | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        came = done.stdout.decode("utf-8", "replace")
        assert done.returncode == one.exits, f"line {one.line}: {one.command}\nexit {done.returncode}:\n{came}"
        if one.expected:
            wanted = "\n".join(one.expected).rstrip()
            assert matches(wanted, came.rstrip()), f"line {one.line}: {one.command}\nexpected:\n{wanted}\ncame:\n{came}"


def matches(wanted: str, came: str) -> bool:
    """Whether *came* is what *wanted* shows, with ``…`` standing for anything (see the module)."""
    parts = []
    for line in wanted.split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(re.escape(piece) for piece in line.rstrip().split("…")) + r"[^\S\n]*\n")
    return re.fullmatch("".join(parts), came + "\n") is not None


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHWORD_", "PYTEST"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # Threads of numpy that wait for a busy core take three times what one takes, and past the limit of a command.
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return kept | one | {"PATH": path, "HOME": str(folder), "COLUMNS": "120", "PYTHONUTF8": "1", "NO_COLOR": "1"}
