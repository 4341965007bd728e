"""A node that is killed, or whose disk is full, at every call that changes its disk. Run by ``test_faults``.

    python faults.py FAULT TEMPLATE FOLDER STRIDE

Copies TEMPLATE (an alliance that has exchanged once) and lets ALFA live one life: append, recall, publish, record
receipts, import a file, anchor, export one. At call n (for every STRIDE-th n) that opens, writes, syncs, renames or
makes something below ALFA's home, FAULT strikes:

* ``kill``  SIGKILL before the call.
* ``full``  the call and every later one that could need space fails with ENOSPC; then the disk is mended.

Afterwards the home opens, holds all that was acknowledged, checks, and finishes the same life. Prints how many calls
there were, or the first promise that was broken.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.node import Node
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RELEASE = Subject("mailsort 1.0", "sha256:" + "9c" * 32)
REAL = {name: getattr(os, name) for name in ("open", "write", "fsync", "fdatasync", "replace", "ftruncate", "mkdir")}
STEPS = ("append", "recall", "publish", "record", "import", "anchor", "export")


class Promise(Exception):
    """A promise that was broken."""


class Disk:
    """Counts calls below *root* and strikes at the one numbered *at*."""

    def __init__(self, root: Path, fault: str, at: int) -> None:
        self.root, self.fault, self.at, self.calls = str(root), fault, at, 0
        for name in REAL:
            setattr(os, name, self.wrapped(name))

    def wrapped(self, name: str) -> Callable[..., object]:
        def call(first: object, *rest: object, **named: object) -> object:
            path = str(Path(f"/proc/self/fd/{first}").readlink()) if isinstance(first, int) else str(first)
            changes = name != "open" or bool(int(rest[0]) & (os.O_CREAT | os.O_TRUNC))  # type: ignore[call-overload]
            if path.startswith(self.root) and changes:
                self.strike(name)
            if name in ("fsync", "fdatasync"):
                return None  # A kill takes no written byte away; the power cut is tested one room below.
            return REAL[name](first, *rest, **named)

        return call

    def strike(self, name: str) -> None:
        here = self.calls
        self.calls += 1
        if self.at < 0 or here < self.at:
            return
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if name in ("open", "write", "fsync", "fdatasync", "mkdir"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def inspection(tool: str) -> dict[str, object]:
    return {
        "tool": {"name": tool, "version": "1", "rules": D(b"")},
        "verdict": "nothing-found",
        "files": 1,
        "bytes": 1,
        "dangerous": 0,
        "suspicious": 0,
        "unreadable": 0,
        "findings": [],
        "report": None,
    }


def live(home: Path, post: Path, done: set[str], say: Callable[[str, object], None]) -> None:
    """One life; steps that were acknowledged before are not lived again."""
    with Node.open(home, clock=FixedClock(NOON), writing=True) as node:

        def step(name: str, act: Callable[[], object]) -> None:
            if name not in done:
                say(name, act())

        target = f"release:{RELEASE.digest}"
        recall = {"target": target, "reason": "found", "actions": [], "deadline": None, "supersedes": None}
        recall |= {"directive": None, "severity": "urgent", "versions": [], "alternatives": []}
        notice = (Subject("notice", D(target.encode())),)
        step("append", lambda: node.sign_and_append("inspection", (RELEASE,), inspection("x")).id)
        step("recall", lambda: node.sign_and_append("recall", notice, recall).id)
        step("publish", node.publish)
        step("record", lambda: node.append_record([{"event": "held"}, {"event": "released"}]).stop)
        step("import", lambda: node.import_bundle(post / "BRAVO-to-ALFA.wwx.json").bodies)
        step("anchor", lambda: getattr(node.anchor_record(), "id", None))
        step("export", lambda: node.export("BRAVO", home / "ALFA-to-BRAVO.wwx.json"))


def check(home: Path, post: Path, said: dict[str, object]) -> None:
    """What was acknowledged is there; the node goes on and ends where an undisturbed one does."""
    with Node.open(home, clock=FixedClock(NOON), writing=True) as node:
        node.check()
        held = {one.statement.id for one in node.statements()}
        loose = {one.statement.id for one in node.loose()}
        if "append" in said and said["append"] not in held:
            raise Promise("an acknowledged statement is gone")
        if "recall" in said and said["recall"] not in held & loose:
            raise Promise("an acknowledged recall is gone")
        if "record" in said and len(node.record_events()) != said["record"]:
            raise Promise("acknowledged receipts are gone")
        if "import" in said and len(node.store.leaves("bravo.example/ledger")) != 1:
            raise Promise("what was imported is gone")
        for origin in node.charter.shared_origins:
            for leaf in node.store.leaves(origin):
                if origin.startswith("alfa") and not node.bodies.holds(leaf.commitment):
                    raise Promise(f"a leaf of {origin} stands without its body")
        if len(node.record_events()) not in (0, 2):
            raise Promise("receipts of one group came apart")
    live(home, post, set(said), lambda name, value: said.__setitem__(name, value))
    with Node.open(home, clock=FixedClock(NOON), writing=True) as node:
        node.check()
        if node.anchor_record() is not None:
            raise Promise("a record that was anchored is not")
        view = node.latest_view()
        if "bravo.example/ledger" not in view.heads or len(node.facts(view).statements) < 1:
            raise Promise("the import did not finish")


def once(fault: str, template: Path, folder: Path, at: int) -> int | None:
    """One life and its check; the number of calls when it was lived to its end."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    home, post = folder / "ALFA", folder / "post"
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        disk = Disk(home, fault, at)

        def say(name: str, value: object) -> None:
            REAL["write"](write, json.dumps([name, value]).encode() + b"\n")

        try:
            live(home, post, set(), say)
            say("end", disk.calls)
        except (WatchwordError, OSError) as error:
            say("trouble", str(error))
        except BaseException as error:  # noqa: BLE001  told to the parent, which fails
            say("died", repr(error))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = dict(json.loads(line) for line in file)
    os.waitpid(process, 0)
    if "died" in said:
        raise Promise(f"not an error of ours: {said['died']}")
    calls = said.pop("end", None)
    said.pop("trouble", None)
    try:
        check(home, post, said)
    except WatchwordError as error:
        raise Promise(f"{type(error).__name__}: {error}") from error
    return calls


def main() -> None:
    fault, template, folder, stride = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    total = once(fault, template, folder / "life", -1)
    if not total:
        raise SystemExit("the life did not reach its end on a good disk")
    for at in range(0, total, stride):
        try:
            once(fault, template, folder / "life", at)
        except Promise as broken:
            print(f"broken at call {at} of {total}: {broken}")
            raise SystemExit(1) from None
    print(f"kept at each of {len(range(0, total, stride))} of {total} calls")


if __name__ == "__main__":
    main()
