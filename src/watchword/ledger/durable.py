"""What reaches the disk before we say so: whole files, many files, locks.

* A file is replaced whole: written aside, synced, renamed, and the folder of its name synced. A reader sees the old or
  the new bytes, after any kill or power cut.
* Every write, sync and rename of a ledger is made here or in ``intake``, through ``os``: a test can break each of them.
* A failed sync is never tried again on the same bytes: the kernel may have dropped them and call the next sync good.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from watchword.errors import WatchwordError

FILES_AT_ONCE = 256
"""Files written before they are synced together: the first sync of such a batch writes most of the others too."""


class StorageTrouble(WatchwordError):
    """The disk did not take what it was given: full, read-only, broken."""

    about_machine = True


class Busy(WatchwordError):
    """Somebody else holds the one writer's lock."""


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



class Lock:
    """The one writer's lock on a file (flock): held until closed, or until the process is gone."""

    def __init__(self, path: Path, what: str, *, wait: bool = False) -> None:
        with translated(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(self._descriptor)
            raise Busy(
                f"{what} has another writer", "one process writes a ledger at a time; end the other one or wait for it"
            ) from None

    def close(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
