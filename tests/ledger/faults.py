"""A disk that breaks on command, and lives that are lived on it. Run as a program by ``test_faults``.

    python faults.py LIFE FAULT FOLDER [GUARD]

Lives the life LIFE once for every call n that writes, syncs, renames or makes something, each time in a child that
breaks at call n, then checks what is left. Prints how many calls there are, or the first promise that was broken.

* ``kill``   SIGKILL before call n; what was not synced stays with the kernel (and may be lost in the next life).
* ``torn``   half of the bytes of a write, then SIGKILL. Only calls that write.
* ``power``  what was not synced is lost, file contents and names each by their own sync, then SIGKILL. At every other
  call half of what was being appended to a file gets onto the disk all the same.
* ``full``   half of the bytes of a write, then ENOSPC; any other call n fails with ENOSPC. The child goes on.
* GUARD names a call (fdatasync, fsync) that only pretends from the start: the checks must notice.
"""

# ruff: noqa: PTH110, PTH112, PTH115, PTH116, PTH120
# (the calls of os are what is broken here)

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from watchword.errors import WatchwordError
from watchword.ledger import log as log_module
from watchword.ledger.checkpoint import Checkpoint, cosign, merge, parse_checkpoint, sign_checkpoint, verify_head
from watchword.ledger.log import Log, NoLedger
from watchword.ledger.merkle import consistency_path, leaf_hash, root_of
from watchword.ledger.notes import parse_note
from watchword.ledger.witness import Witness, format_request
from watchword.statements.keys import SigningKey, generate
from watchword.statements.times import FixedClock

ORIGIN = "log.example/life"
NAME = "witness.example/life"
NOW = 1_790_000_000
T = TypeVar("T")
KEY, WITNESS_KEY = generate(44), generate(44)
REAL = {name: getattr(os, name) for name in ("open", "write", "fsync", "fdatasync", "replace", "ftruncate", "mkdir")}


class Disk:
    """Counts calls of this process below *root* and breaks at the one numbered *breaks_at* (from 0)."""

    def __init__(self, root: Path, fault: str, breaks_at: int, guard: str = "") -> None:
        self.root, self.fault, self.breaks_at, self.guard = str(root), fault, breaks_at, guard
        self.calls = 0
        self.writes: list[int] = []
        self.syncs: dict[str, list[int]] = {}
        # What a power cut takes away: contents since the last sync by inode, names since the last sync of a folder.
        self.synced: dict[int, tuple[str, bytes]] = {}
        self.names: list[tuple[str, str, bytes | None]] = []
        unsynced = root / "unsynced"
        if unsynced.exists():
            self.take_over(json.loads(unsynced.read_text()))
            unsynced.unlink()
        for name in REAL:
            setattr(os, name, getattr(self, name))

    def broken(self, syncs: str = "", writes: bool = False) -> bool:
        """Whether this call is the one; kills the process where the fault says so."""
        here = self.calls == self.breaks_at
        self.writes += [self.calls] if writes else []
        if syncs:
            self.syncs.setdefault(os.path.relpath(syncs, self.root), []).append(self.calls)
        self.calls += 1
        if here and self.fault == "power":
            self.lose_power()
        elif here and self.fault == "kill":
            self.hand_over()
        if here and self.fault in ("kill", "power"):
            os.kill(os.getpid(), signal.SIGKILL)
        return here

    def fail(self) -> None:
        if self.fault == "torn":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def lose_power(self) -> None:
        for path, content in self.synced.values():
            with contextlib.suppress(FileNotFoundError):
                fresh = Path(path).read_bytes().removeprefix(content) if self.breaks_at % 2 else b""
                Path(path).write_bytes(content + fresh[: len(fresh) // 2])
        for _, path, before in reversed(self.names):
            if before is not None:
                Path(path).write_bytes(before)
            elif Path(path).is_dir():
                shutil.rmtree(path)
            else:
                Path(path).unlink(missing_ok=True)

    def hand_over(self) -> None:
        """A killed process leaves its bytes to the kernel: the next one inherits what is not on the platter yet."""
        synced = [(os.path.relpath(path, self.root), content.hex()) for path, content in self.synced.values()]
        names = [
            (*(os.path.relpath(path, self.root) for path in row[:2]), row[2].hex() if row[2] is not None else None)
            for row in self.names
        ]
        Path(self.root, "unsynced").write_text(json.dumps({"synced": synced, "names": names}))

    def take_over(self, left: dict) -> None:
        for name, content in left["synced"]:
            path = os.path.normpath(f"{self.root}/{name}")
            if os.path.exists(path):
                self.synced[os.stat(path).st_ino] = (path, bytes.fromhex(content))
        for folder, name, before in left["names"]:
            places = (os.path.normpath(f"{self.root}/{part}") for part in (folder, name))
            self.names.append((*places, None if before is None else bytes.fromhex(before)))

    def path_of(self, descriptor: int) -> str:
        return os.readlink(f"/proc/self/fd/{descriptor}")

    def ours(self, path: object) -> bool:
        return str(path).startswith(self.root)

    # -- the calls --------------------------------------------------------------------------------

    def open(self, path, flags, mode=0o777, **rest):
        new = flags & os.O_CREAT and self.ours(path) and not os.path.exists(path)
        if new and self.broken():
            self.fail()
        if flags & os.O_TRUNC and os.path.exists(path):
            self.touch(str(path))
        descriptor = REAL["open"](path, flags, mode, **rest)
        if new:
            self.names.append((os.path.dirname(path), str(path), None))
        return descriptor

    def write(self, descriptor, data):
        path = self.path_of(descriptor)
        if not self.ours(path):
            return REAL["write"](descriptor, data)
        self.touch(path)
        if self.broken(writes=True):
            REAL["write"](descriptor, bytes(data)[: len(data) // 2])
            self.fail()
        return REAL["write"](descriptor, data)

    def ftruncate(self, descriptor, length):
        self.touch(self.path_of(descriptor))
        if self.broken():
            self.fail()
        return REAL["ftruncate"](descriptor, length)

    def fsync(self, descriptor):
        return self.sync("fsync", descriptor)

    def fdatasync(self, descriptor):
        return self.sync("fdatasync", descriptor)

    def sync(self, call, descriptor):
        path = self.path_of(descriptor)
        if self.broken(path):
            self.fail()
        if self.guard == call:
            return
        if os.path.isdir(path):
            self.names = [row for row in self.names if row[0] != path]
        else:
            self.synced.pop(os.fstat(descriptor).st_ino, None)

    def replace(self, source, target):
        if self.broken():
            self.fail()
        before = Path(target).read_bytes() if os.path.exists(target) else None
        inode = os.stat(source).st_ino
        REAL["replace"](source, target)
        self.names.append((os.path.dirname(target), str(target), before))
        if inode in self.synced:
            self.synced[inode] = (str(target), self.synced[inode][1])

    def mkdir(self, path, mode=0o777, **rest):
        if self.ours(path) and not os.path.exists(path) and self.broken():
            self.fail()
        REAL["mkdir"](path, mode, **rest)
        self.names.append((os.path.dirname(path), str(path), None))

    def touch(self, path: str) -> None:
        """Before contents change: remember what is on the platter."""
        if self.ours(path):
            self.synced.setdefault(os.stat(path).st_ino, (path, Path(path).read_bytes()))


class Promise(Exception):
    """A promise that was broken."""


def expect(holds: bool, promise: str) -> None:
    if not holds:
        raise Promise(promise)


def insist(step: Callable[[], T]) -> T:
    """Do it; after trouble, once more."""
    with contextlib.suppress(WatchwordError):
        return step()
    return step()


def begin(folder: Path, mirror: bool) -> Log:
    def once() -> Log:
        try:
            return Log.create(folder / "log", ORIGIN, folder / "heads", mirror=mirror)
        except NoLedger:
            return Log.open(folder / "log", ORIGIN, folder / "heads", writable=True)

    return insist(once)


# -- the life of our own ledger -------------------------------------------------------------------


def entry(index: int) -> bytes:
    return b"entry %d" % index


def own_life(folder: Path, say: Callable[..., None]) -> None:
    """Create, append, publish, cross a tile, start the intake anew, take cosignatures; trouble is tried again once."""
    log_module.INTAKE_BYTES_KEPT_MAX = 2_000
    signed = log_module.sign_checkpoint

    def telling(head: Checkpoint, key: SigningKey, time_s: int = 0) -> bytes:
        say("signed", size=head.size, root=head.root.hex())
        return signed(head, key, time_s)

    log_module.sign_checkpoint = telling

    log = begin(folder, mirror=False)
    say("created")
    size = 0
    for count, publish in ((2, True), (255, True), (1, False)):
        taken = insist(lambda count=count: log.append([entry(log.size + i) for i in range(count)]))
        size = taken.stop
        say("durable", size=size)
        if publish:
            insist(lambda: log.publish(KEY, NOW))
            say("published", size=size)
    note = log.checkpoint() or b""
    with_lines = merge(note, note + cosign(note, NAME, WITNESS_KEY, NOW), {NAME: WITNESS_KEY.public})
    insist(lambda: log.set_checkpoint(with_lines))
    say("cosigned")
    log.close()


def own_check(folder: Path, said: list[dict]) -> None:
    """Nothing acknowledged is lost, nothing signed is contradicted, and the ledger goes on."""
    events = {row["event"] for row in said}
    durable_size = max((row["size"] for row in said if row["event"] == "durable"), default=0)
    published = max((row["size"] for row in said if row["event"] == "published"), default=0)
    try:
        log = Log.open(folder / "log", ORIGIN, folder / "heads", writable=True)
    except NoLedger:
        expect("created" not in events, "a created ledger is there")
        log = Log.create(folder / "log", ORIGIN, folder / "heads")
    with log:
        expect(log.size >= durable_size, f"{durable_size} entries were acknowledged, {log.size} are there")
        expect(log.published_size >= published, f"{published} were published, {log.published_size} are")
        expect(log.entries(0, log.size) == [entry(i) for i in range(log.size)], "entries are those that were appended")
        if "cosigned" in events:
            expect(NAME.encode() in (log.checkpoint() or b""), "merged cosignatures stay")
        log.check()
        log.append([entry(log.size)])
        note = log.publish(KEY, NOW)
        head = verify_head(note, ORIGIN, KEY.public)
        expect(head.size == log.size, "it goes on")
        log.check()
        for row in said:
            if row["event"] == "signed":
                expect(log.root(row["size"]).hex() == row["root"], f"the head signed at {row['size']} still holds")


# -- the life of a mirror -------------------------------------------------------------------------


def foreign_head(size: int) -> bytes:
    head = Checkpoint(ORIGIN, size, root_of([leaf_hash(entry(i)) for i in range(size)]))
    return sign_checkpoint(head, KEY, NOW)


SIZES = (3, 257)
SEEN = [entry(i) for i in range(258)]
HEADS = {size: foreign_head(size) for size in SIZES}


def mirror_life(folder: Path, say: Callable[..., None]) -> None:
    """Accept three foreign heads, one of them across a tile."""
    log = begin(folder, mirror=True)
    say("created")
    for size in SIZES:
        start = log.published_size
        insist(lambda start=start, size=size: log.extend_mirror(start, SEEN[start:size], HEADS[size]))
        say("published", size=size)
    log.close()


def mirror_check(folder: Path, said: list[dict]) -> None:
    """It stands at one of the heads, not before one it accepted, whole; and it goes on."""
    published = max((row["size"] for row in said if row["event"] == "published"), default=0)
    try:
        log = Log.open(folder / "log", ORIGIN, folder / "heads", writable=True)
    except NoLedger:
        expect(not said, "a created mirror is there")
        log = Log.create(folder / "log", ORIGIN, folder / "heads", mirror=True)
    with log:
        size = log.published_size
        expect(size in (0, *SIZES) and size >= published, f"head {published} was accepted, it stands at {size}")
        expect(log.size == size, "all or nothing")
        expect(log.entries(0, size) == [entry(i) for i in range(size)], "entries are the ledger's")
        log.check()
        log.extend_mirror(size, SEEN[size:], foreign_head(len(SEEN)))
        log.check()


# -- the life of a witness ------------------------------------------------------------------------


def tree(size: int, forked: bool = False) -> list[bytes]:
    return [leaf_hash(entry(i) + (b" forked" if forked and i == 0 else b"")) for i in range(size)]


def request(old: int, size: int, forked: bool = False) -> bytes:
    leaves = tree(size, forked)
    head = Checkpoint(ORIGIN, size, root_of(leaves))
    proof = consistency_path(lambda level, index: root_of(leaves[index << level : (index + 1) << level]), old, size)
    return format_request(old, proof, sign_checkpoint(head, KEY, NOW))


HONEST = [request(0, 2), request(2, 5), request(5, 5), request(5, 9)]


def witness_of(folder: Path) -> Witness:
    return Witness(folder / "witness", NAME, WITNESS_KEY, FixedClock(datetime.fromtimestamp(NOW, UTC)))


def witness_life(folder: Path, say: Callable[..., None]) -> None:
    """Cosign a growing ledger; every answer that gets out is told."""
    for body in HONEST:
        answer = insist(lambda body=body: witness_of(folder).add_checkpoint(body, {ORIGIN: KEY.public}))
        if answer.status == 200:
            say("cosigned", size=parse_checkpoint(parse_note(body.split(b"\n\n", 1)[1]).text).size)


def witness_check(folder: Path, said: list[dict]) -> None:
    """What was cosigned is remembered, so no fork of it is cosigned; and the honest ledger goes on."""
    size = max((row["size"] for row in said), default=0)
    witness = witness_of(folder)
    for old in (0, 2, 5, 9):
        for new in (max(old, 1), 9, 12):
            if new >= old:
                answer = witness.add_checkpoint(request(old, new, forked=True), {ORIGIN: KEY.public})
                expect(answer.status != 200 or size == 0, f"cosigned size {size}, then a fork from {old} to {new}")
                if answer.status == 200:
                    return  # Nothing had been cosigned, so there was nothing to fork from.
    stored = witness.last(ORIGIN)
    at = parse_checkpoint(parse_note(stored).text).size if stored else 0
    expect(at >= size, f"cosigned size {size}, remembers {at}")
    answer = witness.add_checkpoint(request(at, 12), {ORIGIN: KEY.public})
    expect(answer.status == 200, f"the honest ledger goes on: {answer}")


def repair_life(folder: Path, say: Callable[..., None]) -> None:
    """Open what a kill left behind, and go on; the power may go at any call of that."""
    log = begin(folder, mirror=False)
    say("durable", size=log.size)
    say("published", size=log.published_size)
    insist(lambda: log.append([entry(log.size)]))
    say("durable", size=log.size)
    insist(lambda: log.publish(KEY, NOW))
    say("published", size=log.size)
    log.close()


LIVES = {"own": (own_life, own_check), "mirror": (mirror_life, mirror_check), "witness": (witness_life, witness_check)}
UNSYNCED = ("log/intake", "heads", "log")
"""A life is killed before each sync of these, and then the power goes at every call of the repair that follows."""


def child(life: Callable[..., None], folder: Path, fault: str, breaks_at: int, guard: str, out: int) -> None:
    """Live *life* on a disk that breaks; say on *out* what was promised, and at the end how many calls there were."""
    disk = Disk(folder, fault, breaks_at, guard)

    def say(event: str, **facts: object) -> None:
        REAL["write"](out, json.dumps({"event": event, **facts}).encode() + b"\n")

    try:
        life(folder, say)
        say("end", calls=disk.calls, syncs=disk.syncs, writes=disk.writes)
        if disk.fault == "power":
            disk.lose_power()
    except Exception as error:  # noqa: BLE001  whatever it is, the parent must hear of it
        say("died", error=repr(error))
    os._exit(0)


def live(life: Callable[..., None], folder: Path, fault: str, breaks_at: int, guard: str = "") -> list[dict]:
    """Live once in a child of our own; what it said."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        child(life, folder, fault, breaks_at, guard, write)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = [json.loads(line) for line in file]
    os.waitpid(process, 0)
    died = [row for row in said if row["event"] == "died"]
    expect(not died, f"goes on after trouble, but: {died}")
    return said


def calls_of(said: list[dict]) -> int:
    return next((row["calls"] for row in said if row["event"] == "end"), 0)


def live_all(life_name: str, fault: str, folder: Path, guard: str) -> int:
    """Break at every call of a life, and check each time."""
    life, check = LIVES[life_name]

    def once(number: int) -> list[dict]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            said = live(life, folder, fault, number, guard)
            check(folder, [row for row in said if row["event"] != "end"])
        except (Promise, WatchwordError) as error:
            raise Promise(f"at call {number}: {type(error).__name__}: {error}") from error
        return said

    end = once(-1)[-1]
    numbers = end["writes"] if fault == "torn" else range(end["calls"])
    for number in numbers:
        once(number)
    return len(numbers)


def repair_all(folder: Path) -> int:
    """Kill a life, and lose power at every call of the repair that follows."""
    first = folder / "first"
    first.mkdir(parents=True)
    syncs = next(row["syncs"] for row in live(own_life, first, "kill", -1) if row["event"] == "end")
    repaired = 0
    for killed_at in sorted(number for name in UNSYNCED for number in syncs[name][-3:]):
        shutil.rmtree(first)
        first.mkdir()
        before = live(own_life, first, "kill", killed_at)
        again, number, calls = folder / "again", -1, 1
        while number < calls:
            shutil.rmtree(again, ignore_errors=True)
            shutil.copytree(first, again)
            said = live(repair_life, again, "power", number)
            calls = calls_of(said) if number < 0 else calls
            try:
                own_check(again, [row for row in before + said if row["event"] != "end"])
            except (Promise, WatchwordError) as error:
                raise Promise(f"at call {number} of the repair after a kill at {killed_at}: {error}") from error
            number += 1
        repaired += calls
    return repaired


def main() -> None:
    life_name, fault, folder, *guard = sys.argv[1:]
    try:
        if life_name == "repair":
            total = repair_all(Path(folder))
        else:
            total = live_all(life_name, fault, Path(folder) / "life", guard[0] if guard else "")
    except Promise as broken:
        print(f"broken {broken}")
        raise SystemExit(1) from None
    expect(total > 10, f"a life has many calls, not {total}")
    print(f"kept at each of {total} calls")


if __name__ == "__main__":
    main()
