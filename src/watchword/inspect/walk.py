"""The files of a release, in the order of the manifest. No link is followed, nothing but a regular file is opened.

* A symbolic link is told and never in the manifest: leading out of the release it is unreadable (what is loaded is not
  what was looked at), within it suspicious (no digest covers where it leads).
* Pipes, sockets and devices are told as unreadable, unopened.
* A path given by the user may itself be a link: what it leads to is the release.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.inspect.descriptors import FLAGS
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.far import Far
from watchword.limits import RELEASE_DEPTH_MAX, RELEASE_FILES_MAX


class NothingThere(WatchwordError):
    """There is nothing to look at: the path is missing, or the folder holds no file."""


class FileChanged(WatchwordError):
    """A file changed while it was read: what was judged may not be what was hashed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: where it is, its path in the release, and its length in bytes when it was listed.

    ``descriptor``: where it is open already; ``far``: what gives its bytes where it is not on this machine. With
    either, ``place`` is not looked at. ``version`` differs after any change, as far as whoever keeps the file can tell;
    empty where nobody can.
    """

    place: Path
    path: str
    size: int
    descriptor: int | None = None
    far: Far | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The regular files sorted by path, and what else stands in the folder: (path, what is wrong)."""

    files: tuple[Found, ...]
    others: tuple[tuple[str, Oddity], ...]


def list_release(target: Path, blobs: Path | None = None) -> Listing:
    """The files of *target*, a file or a folder.

    Args:
        blobs: a folder (resolved) of a cache that keeps files there and links to them: such a link is the file.

    Raises:
        NothingThere: missing, or a folder without a single file.
    """
    try:
        real = target.resolve(strict=True)
        kind = real.stat().st_mode
    except (OSError, RuntimeError, ValueError) as error:
        words = f"{shown(str(target))}: {_reason(error)}"
        raise NothingThere(words, "nothing was looked at; check the path") from error
    if stat.S_ISREG(kind):
        return Listing((_found(real, target.name or real.name, real.stat()),), ())
    if not stat.S_ISDIR(kind):
        raise NothingThere(f"{shown(str(target))}: not a file or a folder", "nothing was looked at")
    files: list[Found] = []
    others: list[tuple[str, Oddity]] = []
    waiting = [(real, "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        for entry in _entries(folder, prefix, others):
            path = prefix + entry.name
            if len(files) + len(others) + len(waiting) > RELEASE_FILES_MAX:
                words = f"{shown(str(target))}: more than {RELEASE_FILES_MAX:,} files"
                raise NothingThere(words, "nothing was looked at; inspect parts of it")
            if entry.is_symlink():
                kept = None if blobs is None else _kept(Path(entry.path), blobs)
                if kept is not None:
                    files.append(_found(kept, path, kept.stat(follow_symlinks=False)))
                else:
                    others.append((path, _link(Path(entry.path), real)))
            elif entry.is_dir(follow_symlinks=False):
                if depth >= RELEASE_DEPTH_MAX:
                    words = f"nested deeper than {RELEASE_DEPTH_MAX} folders"
                    others.append((path, Oddity("file-unreadable", None, words)))
                else:
                    waiting.append((Path(entry.path), path + "/", depth + 1))
            elif entry.is_file(follow_symlinks=False):
                files.append(_found(Path(entry.path), path, entry.stat(follow_symlinks=False)))
            else:
                others.append((path, Oddity("special-file", None, "not a regular file: a pipe, socket or device")))
    if not files and not others:
        raise NothingThere(f"{shown(str(target))}: the folder is empty", "there is nothing there to look at")
    files.sort(key=lambda found: os.fsencode(found.path))
    return Listing(tuple(files), tuple(sorted(others, key=lambda other: os.fsencode(other[0]))))


def _found(place: Path, path: str, status: os.stat_result) -> Found:
    # The change time cannot be set by hand.
    version = f"{status.st_dev}-{status.st_ino}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    return Found(place, path, status.st_size, version=version)


def _kept(link: Path, blobs: Path) -> Path | None:
    """The regular file directly in *blobs* that *link* leads to; None where it leads elsewhere."""
    try:
        goal = link.resolve(strict=True)
        return goal if goal.parent == blobs and stat.S_ISREG(goal.stat(follow_symlinks=False).st_mode) else None
    except (OSError, RuntimeError):
        return None


def _entries(folder: Path, prefix: str, others: list[tuple[str, Oddity]]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        others.append((prefix.rstrip("/") or ".", Oddity("file-unreadable", None, f"the folder: {_reason(error)}")))
        return []


def _link(link: Path, root: Path) -> Oddity:
    try:
        text = str(link.readlink())
        goal = link.resolve()
    except (OSError, RuntimeError) as error:
        return Oddity("symlink-escape", None, f"a link that cannot be followed: {_reason(error)}")
    if goal.is_relative_to(root):
        return Oddity("symlink-inside", None, f"a link to {shown(text, 200)}", text)
    return Oddity("symlink-escape", None, f"a link out of the release, to {shown(text, 200)}", text)


def open_file(found: Found) -> tuple[int, os.stat_result]:
    """A descriptor of a listed file, and its status; the caller closes it.

    Raises:
        OSError: it cannot be opened.
        FileChanged: it is no longer a regular file.
    """
    if found.descriptor is not None:
        # Opened anew: a duplicate would share its position with whoever else reads there.
        descriptor = os.open(f"/proc/self/fd/{found.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        return descriptor, os.fstat(descriptor)
    descriptor = os.open(found.place, os.O_RDONLY | FLAGS)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise changed(found)
    return descriptor, status


def same(before: os.stat_result, after: os.stat_result) -> bool:
    """True when nothing was written in between: size and both times are the same (the change time cannot be set)."""
    told = [(status.st_size, status.st_mtime_ns, status.st_ctime_ns) for status in (before, after)]
    return told[0] == told[1]


def changed(found: Found) -> FileChanged:
    return FileChanged(
        f"{shown(found.path)}: changed while it was read",
        "stop whatever writes there, or inspect a copy; no verdict was made",
    )


def _reason(error: BaseException) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
