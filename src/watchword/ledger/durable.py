"""What reaches the disk before we say so: whole files, many files, locks.

* A file is replaced whole: written aside, synced, renamed, and the folder of its name synced. A reader sees the old or
  the new bytes, after any kill or power cut.
* Every write, sync and rename of a ledger is made here or in ``intake``, through ``os``: a test can break each of them.
* A failed sync is never tried again on the same bytes: the kernel may have dropped them and call the next sync good.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from watchword.errors import WatchwordError
from watchword.limits import LOCK_PAUSE_S, LOCK_WAIT_S_MAX

FILES_AT_ONCE = 256
"""Files written before they are synced together: the first sync of such a batch writes most of the others too."""


class StorageTrouble(WatchwordError):
    """The disk did not take what it was given: full, read-only, broken."""

    about_machine = True


class Busy(WatchwordError):
    """Somebody else holds the one writer's lock."""


class Deposed(Busy):
    """Somebody else took the lock over: this process gave no sign of life for too long."""


@contextmanager
def translated(what: Path) -> Iterator[None]:
    """Turn an OSError about *what* into StorageTrouble."""
    try:
        yield
    except OSError as error:
        raise StorageTrouble(
            f"{what}: {error.strerror or error}", "nothing of it was acknowledged; free space or repair the disk"
        ) from error


def read(path: Path, bytes_max: int) -> bytes | None:
    """A small file, cut off after ``bytes_max + 1`` bytes so that its parser sees it is too long; None if missing."""
    with translated(path):
        try:
            with path.open("rb") as file:
                return file.read(bytes_max + 1)
        except FileNotFoundError:
            return None


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a disk may take only some of them at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at *path*."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create *folder* and what is missing above it, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode)
    except FileExistsError:
        return
    sync_folder(folder.parent)


def replace(target: Path, data: bytes, staging: Path, mode: int = 0o666) -> None:
    """Put *data* at *target*, whole and durably. *staging* is a folder of the writer's own on the same disk."""
    replace_many(target.parent, [(target.name, data)], staging, mode)


def replace_many(
    folder: Path, files: Iterable[tuple[str, bytes]], staging: Path, mode: int = 0o666, named: set[Path] | None = None
) -> None:
    """Put each (path below *folder*, bytes), whole and durably. All are durable on return; none is torn before.

    Args:
        named: folders whose names this writer has made durable, up to *folder*: not done again, and added to.
    """
    named = set() if named is None else named
    batch: list[tuple[Path, Path]] = []
    for number, (name, data) in enumerate(files):
        aside = staging / str(number % FILES_AT_ONCE)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
        batch.append((aside, folder / name))
        if len(batch) == FILES_AT_ONCE:
            _commit(folder, batch, named)
            batch = []
    _commit(folder, batch, named)


def _commit(root: Path, batch: list[tuple[Path, Path]], named: set[Path]) -> None:
    for aside, _ in batch:
        # Syncing through a second descriptor is syncing the file: fsync is about the file, not about who wrote it.
        descriptor = os.open(aside, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for folder in {target.parent for _, target in batch}:
        make_folder(folder)
    for aside, target in batch:
        aside.replace(target)
    # Up to the root: a folder made by a writer that was killed may be there without being durable.
    holding = {target.parent for _, target in batch}
    unnamed: set[Path] = set()
    for folder in holding:
        while folder != root and folder not in named | unnamed:
            unnamed.add(folder)
            folder = folder.parent
    for folder in sorted(holding | {folder.parent for folder in unnamed}, reverse=True):
        sync_folder(folder)
    named |= unnamed



def take_lock(descriptor: int, what: str, *, wait: bool) -> None:
    """Lock an open file (flock).

    Raises:
        Busy: somebody else has it; with *wait*: has it for LOCK_WAIT_S_MAX.
    """
    until = time.monotonic() + (LOCK_WAIT_S_MAX if wait else 0)
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                why = "one process writes a ledger at a time; end the other one or wait for it"
                raise Busy(f"{what} has another writer", why) from None
            # Not in the kernel, which waits for ever: who has it may be stopped for good.
            time.sleep(LOCK_PAUSE_S)


class Lock:
    """The one writer's lock on a file (flock): held until closed, until the process is gone, or until another takes it
    over by removing the file (``node.lease``)."""

    def __init__(self, path: Path, what: str, *, wait: bool = False) -> None:
        self._path, self._what, self._descriptor = path, what, -1
        while not self._is_there():
            self.close()
            with translated(path):
                self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                take_lock(self._descriptor, what, wait=wait)
            except Busy:
                self.close()
                raise

    def check(self) -> None:
        """Raise Deposed where somebody else took over."""
        if not self._is_there():
            raise Deposed(f"{self._what}: another writer took over", "what was acknowledged before stands; begin anew")

    def term_in(self, staging: Path) -> Path:
        """A folder below *staging* for the files of whoever has this lock; what others left there is removed.

        Raises:
            Deposed: another took over. Who does removes the lock first, then every term of whoever had it: so a term
                that was made before the lock was seen in place is among them.
        """
        term = staging / f"term-{self.number}-{secrets.token_hex(4)}"
        try:
            with translated(staging):
                term.mkdir(0o700)
                others = [one for one in staging.iterdir() if one.is_dir() and one != term]
            self.check()
        except BaseException:
            self.close()  # who gets no place to write has no use for the lock
            raise
        for one in others:
            shutil.rmtree(one, ignore_errors=True)
        return term

    @property
    def number(self) -> int:
        """Of the file; that of no other while this one is open."""
        return os.fstat(self._descriptor).st_ino

    def write(self, data: bytes) -> None:
        """Put *data* into the file, for whoever waits; not durably."""
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, data, 0))

    def _is_there(self) -> bool:
        return self._descriptor >= 0 and is_at(self._descriptor, self._path)

    def close(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
