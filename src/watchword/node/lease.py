"""The one writer's turn at a home: a lock, a sign of life beside it, and what happens to a writer that gives none.

    <home>/lock         held (flock) by the writer; in it his process id, and a number that he raises every LEASE_BEAT_S
    staging/<term>/     of the home and of each of its ledgers: where this writer's files are made, to be renamed then

* A writer that is killed lets go at once. One that hangs, is stopped, or sits on a machine that is gone, is taken over
  from when his number stood still for LEASE_S by the clock of whoever waits, which no change of the time of day moves.
* Who takes over removes the locks of the ledgers and every ``term`` folder: what the old writer was about to put in
  place, he cannot any more. Files that are appended to are replaced by copies: what the old one still writes reaches
  nobody, and he acknowledges nothing before he has seen that his file is the one in place (``ledger.intake``). The lock
  of the home goes last.
* So an old writer that wakes up signs no head that anybody could see: it is stored first, from a folder that is gone.
  What it acknowledged before stands in the copies.
* On file systems whose names and locks are the same for every machine at once; a home is no place for others.
* Not taken over: locks that any process may take (loose notices, a witness's memory). Who is stopped inside one keeps
  the others from that alone, and they say so.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.durable import Lock
from watchword.limits import LEASE_BEAT_S, LEASE_S, NODE_LOCK_BYTES_MAX

APPENDED = ("receipts", "ledger/intake", "notices/intake", "record/intake")
"""The files of a home that are appended to."""
_OLD = ".old"


class Turn:
    """The writer's lock of a home, with its sign of life. ``term``: his place for files of the home."""

    def __init__(self, lock: Lock, staging: Path) -> None:
        self.lock = lock
        with durable.translated(staging):
            durable.make_folder(staging, 0o700)
        self.term = lock.term_in(staging)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="lease", daemon=True)
        self._beat(0)
        self._thread.start()

    def close(self) -> None:
        """Let go; a second call does nothing."""
        self._over.set()
        self._thread.join()
        self.lock.close()

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _beats(self) -> None:
        number = 0
        while not self._over.wait(LEASE_BEAT_S):
            number += 1
            with suppress(OSError):  # a full disk is told by whatever must be on it
                self._beat(number)

    def _beat(self, number: int) -> None:
        self.lock.write(f"{os.getpid()} {number}\n".encode())


class Watch:
    """What somebody who waits for a turn saw of the one who has it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen = 0, b""
        self._since = 0.0

    def holder(self) -> str:
        """The process that has the turn, for people."""
        return (self._look()[1].split() or [b"unknown"])[0].decode("ascii", "replace")

    def silent(self) -> bool:
        """Whether it gave no sign of life for LEASE_S."""
        seen, now = self._look(), time.monotonic()
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since > LEASE_S

    def take_over(self) -> None:
        """Take every means of writing from the silent one, so that the lock can be taken; unless it spoke meanwhile."""
        home = self._home
        with durable.translated(home), Lock(home / "lock.next", f"node {home}", wait=True):
            if self._look() != self._seen:
                return
            for folder in _staging(home):
                (folder / "lock").unlink(missing_ok=True)
                _end(folder.iterdir())
            for name in APPENDED:
                if (home / name).exists():
                    (home / name).rename(home / f"{name}{_OLD}")
                    durable.sync_folder((home / name).parent)
            finish(home)
            (home / "lock").unlink()
            _end((home / "staging").glob(f"term-{self._seen[0]}-*"))
            durable.sync_folder(home)

    def _look(self) -> tuple[int, bytes]:
        path = self._home / "lock"
        try:
            return path.stat().st_ino, durable.read(path, NODE_LOCK_BYTES_MAX) or b""
        except FileNotFoundError:
            return 0, b""


def finish(home: Path) -> None:
    """Copy what a writer that was taken over from appended to, where somebody was killed while he did that."""
    for name in APPENDED:
        old, path = home / f"{name}{_OLD}", home / name
        if not old.exists():
            continue
        with durable.translated(path):
            if not path.exists():
                copy = home / f"{name}.copy"
                shutil.copyfile(old, copy)
                copy.chmod(0o600)
                with copy.open("rb") as file:
                    os.fsync(file.fileno())
                copy.rename(path)
            old.unlink()
            durable.sync_folder(path.parent)


def _end(terms: Iterable[Path]) -> None:
    for term in terms:
        if term.is_dir():
            # First its name, at once: whoever makes something in it finds no folder.
            shutil.rmtree(term.rename(term.with_name(f"gone-{os.urandom(8).hex()}")), ignore_errors=True)


def _staging(home: Path) -> Iterator[Path]:
    """Every folder in which the writer of this home's ledgers makes his files."""
    ledgers = (home / "ledger", home / "notices", home / "record", *home.glob("mirrors/*"))
    yield from (folder / "staging" for folder in ledgers if (folder / "staging").is_dir())
    yield from home.glob("heads/*.staging")
