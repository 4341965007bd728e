"""A private copy of a release that nobody can change between looking and loading.

* One file goes into memory (``memfd_create``), sealed against writing, growing, shrinking and further seals: not even
  this process can change it any more. It costs its size in memory as long as it is held, and is one copy in the kernel.
* A folder, or a file too large for that, goes into a new folder of mode 0500, files 0400, that is removed afterwards.
  It costs its size on disk. Nobody else can change it; a process of the same user could, if it gave itself leave.
* The copy is what counts: what is inspected, named by digest, and loaded is the copy. A file that is written to while
  it is copied is an error.
* Links, pipes and devices are not copied: what holds one is refused (it has no digest either).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found, changed, list_release, open_file, same
from watchword.limits import GUARD_COPY_BYTES, GUARD_MEMORY_BYTES_MAX

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class NotSealed(WatchwordError):
    """No copy could be made that would stay as it is."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A copy. ``path`` leads to it as long as it is held; ``descriptor`` is the sealed memory, None for a folder.

    ``name`` is what the release was called, and for one file its name in the manifest.
    """

    path: Path
    name: str
    size: int
    descriptor: int | None = None


@contextlib.contextmanager
def sealed_copy(
    path: Path, *, in_memory: bool | None = None, place: Path | None = None, blobs: Path | None = None
) -> Iterator[Sealed]:
    """A sealed copy of the file or folder *path*, removed when the block ends.

    Args:
        in_memory: True or False instead of by size (a folder never is).
        place: where a folder is made; by default where temporary files go.
        blobs: a folder of a cache: links of the release to a file directly in it are files.

    Raises:
        NothingThere, FileChanged: as ``inspect_path``.
        NotSealed: a link or special file is in it, or it cannot be sealed here.
    """
    listing = list_release(path, None if blobs is None else blobs.resolve())
    for name, oddity in listing.others:
        raise NotSealed(f"{shown(name)}: {oddity.message}", "only regular files can be held; deliver what it leads to")
    single = not path.is_dir()
    size = sum(found.size for found in listing.files)
    if single and in_memory is not False and (in_memory or _fits(size)):
        with _in_memory(listing.files[0]) as descriptor:
            held = Path(f"/proc/self/fd/{descriptor}")
            yield Sealed(held, listing.files[0].path, size, descriptor)
        return
    if in_memory:
        raise NotSealed(f"{path}: a folder cannot be held in memory", "leave that out")
    with _in_folder(listing.files, place) as folder:
        name = listing.files[0].path if single else path.resolve().name
        yield Sealed(folder / name if single else folder, name, size)


def _fits(size: int) -> bool:
    """Whether *size* bytes may be held: under the limit, and half of what is free stays free."""
    if size > GUARD_MEMORY_BYTES_MAX:
        return False
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return False
    free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
    return size * 2 <= free


@contextlib.contextmanager
def _in_memory(found: Found) -> Iterator[int]:
    try:
        descriptor = os.memfd_create("watchword-guard", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError) as error:
        raise NotSealed(f"{found.path}: no sealed memory on this system: {error}", "hold it in a folder") from error
    try:
        _copy(found, descriptor)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        if fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS != _SEALS:
            raise NotSealed(f"{found.path}: the copy in memory could not be sealed", "hold it in a folder")
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_folder(files: tuple[Found, ...], place: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="watchword-guard-", dir=place))  # mode 0700
    folders = {folder}
    try:
        for found in files:
            copy = folder / found.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            folders.update(above for above in copy.parents if above.is_relative_to(folder))
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(copy, flags, 0o400)
            try:
                _copy(found, descriptor)
            finally:
                os.close(descriptor)
        for one in folders:
            one.chmod(0o500)
        yield folder
    finally:
        for one in sorted(folders):
            with contextlib.suppress(OSError):
                one.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _copy(found: Found, into: int) -> None:
    """The bytes of a listed file into an empty one.

    Raises:
        FileChanged: it was written to meanwhile.
    """
    descriptor, before = open_file(found)
    try:
        copied = 0
        while count := os.sendfile(into, descriptor, copied, GUARD_COPY_BYTES):
            copied += count
            if copied > before.st_size:
                raise changed(found)
        if copied != before.st_size or not same(before, os.fstat(descriptor)):
            raise changed(found)
    finally:
        os.close(descriptor)
