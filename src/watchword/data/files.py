"""A file manifest: every file of a delivered folder, by path, size and digest, with chunk hashes inside large files.

The format ``watchword-data-files/1`` is JSON lines, each RFC 8785 and ending in LF:

1. the head: ``{"chunk": 1048576, "schema": "watchword-data-files/1"}``;
2. a line a file, by path as UTF-8 bytes: ``[path, size, digest, chunks, credentials]``. ``digest`` is the SHA-256 of
   the file where it has at most one chunk (``chunks`` is then null), else the Merkle tree hash of RFC 9162, section
   2.1.1, over its chunks, which ``chunks`` lists: ``SHA-256(0x00 "watchword-data-chunk/1" LF bytes)``. ``credentials``:
   whether the first chunk holds a C2PA manifest store (JUMBF). That one is there is noted; that none is there proves
   nothing: anybody can strip it;
3. the tail: ``{"bytes": n, "files": n, "root": "sha256:…", "sha256": hex}``, the digest being of every byte before.

The root is the same tree over ``SHA-256(0x00 "watchword-data-file/1" LF [path, size, digest] as RFC 8785)``.

* No file is passed over: a link, a device, a name that is not Unicode, a file that changes while it is read is refused.
* One hash a byte: a file over one chunk has no plain SHA-256 here, but with *plain* (for Croissant), at twice the cost.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from watchword.data.delivery import Delivery, FileChanged, Progress, TooLarge, UnreadableData
from watchword.data.manifest import BadManifest, write_whole
from watchword.data.row import DIGEST_BYTES, RowTree, canonical
from watchword.limits import DATA_CHUNK_BYTES, DATA_FILES_MAX, DATA_MANIFEST_BYTES_MAX, DATA_NAME_BYTES_MAX

SCHEMA = "watchword-data-files/1"
_LEAF = b"\x00watchword-data-file/1\n"
_CHUNK = b"\x00watchword-data-chunk/1\n"
_HEAD = canonical({"chunk": DATA_CHUNK_BYTES, "schema": SCHEMA}) + b"\n"
_FAR_CHUNKS = 8
"""Chunks that are asked for at a time. Origin: FAR_RUN_BLOCKS, as an inspection reads."""
Line = tuple[str, int, str, list[str] | None, bool]
"""Path, size in bytes, digest in hex, chunk hashes in hex, whether C2PA credentials are there."""


@dataclass(frozen=True)
class FileManifest:
    """What a folder holds.

    Attributes:
        lines: (path, size in bytes, digest in hex, chunk hashes in hex or None, C2PA there), by path.
        root: 32 bytes. digest: SHA-256 of the manifest file, 32 bytes: what a statement names.
        plain: path → SHA-256 in hex of the whole file, where that was asked for; never written.
    """

    lines: tuple[Line, ...] = field(repr=False)
    root: bytes
    digest: bytes
    plain: dict[str, str] = field(repr=False, compare=False, default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The facts without the files, as JSON values."""
        return {
            "schema": SCHEMA,
            "files": len(self.lines),
            "bytes": sum(line[1] for line in self.lines),
            "credentials": sum(line[4] for line in self.lines),
            "root": f"sha256:{self.root.hex()}",
            "manifest": f"sha256:{self.digest.hex()}",
        }


@dataclass(frozen=True)
class FileChange:
    """One file that differs. ``ranges``: byte ranges (start, end) of the chunks that do, where both have chunks."""

    kind: Literal["added", "removed", "changed", "renamed"]
    path: str
    old_path: str | None = None
    ranges: tuple[tuple[int, int], ...] = ()


def manifest_files(folder: Path, *, plain: bool = False, progress: Progress | None = None) -> FileManifest:
    """The manifest of every file below *folder*.

    Raises:
        UnreadableData, TooLarge, FileChanged: see the module; nothing was used.
    """
    found: list[Line] = []
    whole: dict[str, str] = {}
    for path, place in _walk(folder):
        if len(found) >= DATA_FILES_MAX:
            raise TooLarge(f"{folder}: has over {DATA_FILES_MAX:,} files")
        line, digest = _file(place, path, plain)
        found.append(line)
        if plain:
            whole[path] = digest
        if progress is not None and len(found) % 1000 == 0:
            progress(path, len(found), len(found))
    if not found:
        raise UnreadableData(f"{folder}: holds no file", "a delivery has at least one file; ask for it again")
    found.sort(key=lambda line: line[0].encode())
    return _made(found, whole)


def far_line(path: str, size: int, read: Callable[[int, int], bytes], promised: str | None = None) -> Line:
    """The line of a file that is elsewhere: it passes once, in order, and is kept nowhere.

    Args:
        read: gives exactly so many bytes from an offset.
        promised: the SHA-256 in hex that the whole was promised to have.

    Raises:
        OSError: from *read*, or it is not what was promised. UnreadableData, TooLarge: its path.
    """
    _check_path(path, path)
    whole, tree, hashes, first = hashlib.sha256(), RowTree(), [], b""
    for start in range(0, size, _FAR_CHUNKS * DATA_CHUNK_BYTES):
        data = memoryview(read(start, min(_FAR_CHUNKS * DATA_CHUNK_BYTES, size - start)))
        first = first or bytes(data[:DATA_CHUNK_BYTES])
        if promised is not None or size <= DATA_CHUNK_BYTES:
            whole.update(data)
        if size > DATA_CHUNK_BYTES:
            for at in range(0, len(data), DATA_CHUNK_BYTES):
                chunk = hashlib.sha256(_CHUNK)
                chunk.update(data[at : at + DATA_CHUNK_BYTES])
                hashes.append(chunk.digest())
    if promised not in (None, whole.hexdigest()):
        raise OSError(f"{path}: the content is not what its digest promises")
    if size <= DATA_CHUNK_BYTES:
        return path, size, whole.hexdigest(), None, _has_credentials(first)
    tree.extend(hashes)
    return path, size, tree.root().hex(), [one.hex() for one in hashes], _has_credentials(first)


def near_line(place: Path, path: str) -> Line:
    """The line of a file that is here.

    Raises:
        UnreadableData, TooLarge, FileChanged, OSError: as ``manifest_files``.
    """
    _check_path(str(place), path)
    return _file(str(place), path, False)[0]


def manifest_of_lines(lines: Iterable[Line]) -> FileManifest:
    """The manifest of files whose lines are known, in any order."""
    return _made(sorted(lines, key=lambda line: line[0].encode()), {})


def write_file_manifest(manifest: FileManifest, path: Path) -> None:
    """Write *manifest* to *path*, whole or not at all.

    Raises:
        DataError: the folder is missing, full, or not writable.
    """
    write_whole(_blocks(manifest.lines, manifest.root), path)


def read_file_manifest(path: Path) -> FileManifest:
    """The manifest in the file at *path*, every digest in it recomputed.

    Raises:
        BadManifest: not a file manifest of version 1, cut off, altered, or spelled in another way.
        UnreadableData, TooLarge, FileChanged: as for a data file.
    """
    hint = "ask for the manifest again, or make it again from the data; nothing was used"
    with Delivery(path) as delivery:
        if delivery.size > DATA_MANIFEST_BYTES_MAX:
            raise TooLarge(f"{path}: has {delivery.size:,} bytes, the limit is {DATA_MANIFEST_BYTES_MAX:,}")
        data = b"".join(delivery.chunks())
        delivery.finish()
    body, _, _ = data.rstrip(b"\n").rpartition(b"\n")
    try:
        lines = msgspec.json.Decoder(Line).decode_lines(body[len(_HEAD) :])
        for line in lines:
            _check(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadManifest(f"{path}: is not a file manifest: {error}", hint) from error
    made = _made(lines, {})
    if not lines or b"".join(_blocks(lines, made.root)) != data:
        raise BadManifest(f"{path}: is cut off, altered, or not spelled as a file manifest", hint)
    if any(one[0].encode() >= other[0].encode() for one, other in itertools.pairwise(lines)):
        raise BadManifest(f"{path}: its files are not in order, or one is there twice", hint)
    return made


def diff_files(old: FileManifest, new: FileManifest) -> list[FileChange]:
    """How two folders differ, by path; a file that only has another path is *renamed*."""
    before, after = {line[0]: line for line in old.lines}, {line[0]: line for line in new.lines}
    gone: dict[tuple[int, str], list[str]] = {}
    for path in before.keys() - after.keys():
        gone.setdefault(before[path][1:3], []).append(path)
    for paths in gone.values():
        paths.sort(reverse=True)
    changes = []
    for path, line in after.items():
        if path not in before:
            left = gone.get(line[1:3])
            changes.append(FileChange("renamed", path, left.pop()) if left else FileChange("added", path))
        elif before[path][1:3] != line[1:3]:
            changes.append(FileChange("changed", path, path, _ranges(before[path], line)))
    changes += [FileChange("removed", path, path) for paths in gone.values() for path in paths]
    return sorted(changes, key=lambda change: change.path.encode())


def _ranges(old: Line, new: Line) -> tuple[tuple[int, int], ...]:
    before, now = old[3], new[3]
    if before is None or now is None:
        return ()
    size, found = max(old[1], new[1]), list[tuple[int, int]]()
    for at in range(max(len(before), len(now))):
        if before[at : at + 1] == now[at : at + 1]:
            continue
        start, end = at * DATA_CHUNK_BYTES, min(size, (at + 1) * DATA_CHUNK_BYTES)
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return tuple(found)


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """(path below *folder* with ``/``, path to open) of every file, in no order."""
    waiting = [("", os.fspath(folder))]
    try:
        while waiting:
            inside, place = waiting.pop()
            with os.scandir(place) as entries:
                for entry in entries:
                    path = f"{inside}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((f"{path}/", entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        _check_path(entry.path, path)
                        yield path, entry.path
                    else:
                        what = "is a link, a pipe or a device"
                        raise UnreadableData(f"{entry.path}: {what}", "deliver plain files; nothing was used")
    except OSError as error:
        what = (error.strerror or "cannot be read").lower()
        raise UnreadableData(f"{error.filename or folder}: {what}", "check the path and your permission") from error


def _check_path(place: str, path: str) -> None:
    if path.isascii() and len(path) <= DATA_NAME_BYTES_MAX:
        return
    try:
        long = len(path.encode()) > DATA_NAME_BYTES_MAX
    except UnicodeEncodeError:
        raise UnreadableData(f"{place!a}: its name is not Unicode", "rename it; nothing was used") from None
    if long:
        raise TooLarge(f"{place[:80]}: its path is over {DATA_NAME_BYTES_MAX:,} bytes")


def _file(place: str, path: str, plain: bool) -> tuple[Line, str]:
    """The line of one file and, with *plain*, its SHA-256."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileChanged(f"{place}: became something else while it was read", "")
        size = before.st_size
        if size <= DATA_CHUNK_BYTES:
            data = os.read(descriptor, size + 1)
            digest = hashlib.sha256(data).hexdigest()
            line: Line = (path, size, digest, None, _has_credentials(data))
            done = len(data)
        else:
            line, digest, done = _chunked(descriptor, path, size, plain)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if done != size or after.st_size != size or after.st_mtime_ns != before.st_mtime_ns:
        raise FileChanged(
            f"{place}: changed while it was read", "wait until the delivery is complete; nothing was used"
        )
    return line, digest


def _chunked(descriptor: int, path: str, size: int, plain: bool) -> tuple[Line, str, int]:
    whole, tree = hashlib.sha256(), RowTree()
    hashes: list[bytes] = []
    credentials, done = False, 0
    buffer = memoryview(bytearray(DATA_CHUNK_BYTES))  # one for the whole file: new memory costs as much as reading
    while done < size and (data := _read(descriptor, buffer[: size - done])):
        credentials = credentials or (done == 0 and _has_credentials(bytes(data)))
        chunk = hashlib.sha256(_CHUNK)
        chunk.update(data)
        hashes.append(chunk.digest())
        if plain:
            whole.update(data)
        done += len(data)
    tree.extend(hashes)
    line = (path, size, tree.root().hex(), [one.hex() for one in hashes], credentials)
    return line, whole.hexdigest(), done + len(os.read(descriptor, 1))


def _read(descriptor: int, buffer: memoryview) -> memoryview:
    """*buffer*, filled from the file; less of it where the file ends before."""
    done = 0
    while done < len(buffer) and (more := os.readv(descriptor, [buffer[done:]])):
        done += more
    return buffer[:done]


def _has_credentials(data: bytes) -> bool:
    # C2PA 2.x: a JUMBF superbox ("jumb") whose description ("jumd") has the label "c2pa".
    return b"c2pa" in data and b"jumb" in data and b"jumd" in data


def _check(line: Line) -> None:
    path, size, digest, chunks, _ = line
    for one in (digest, *(chunks or ())):
        if len(bytes.fromhex(one)) != DIGEST_BYTES or one != one.lower():
            raise ValueError(f"a digest of {path[:80]!r} is not 64 lower-case hex digits")
    wanted = None if size <= DATA_CHUNK_BYTES else -(-size // DATA_CHUNK_BYTES)
    if (None if chunks is None else len(chunks)) != wanted or size < 0:
        raise ValueError(f"{path[:80]!r} has other chunks than its size")
    if chunks is not None:
        tree = RowTree()
        tree.extend([bytes.fromhex(one) for one in chunks])
        if tree.root().hex() != digest:
            raise ValueError(f"the digest of {path[:80]!r} is not that of its chunks")


def _made(lines: list[Line], plain: dict[str, str]) -> FileManifest:
    tree = RowTree()
    for first in range(0, len(lines), 1024):
        leaves = (canonical(line[:3]) for line in lines[first : first + 1024])
        tree.extend([hashlib.sha256(_LEAF + leaf).digest() for leaf in leaves])
    written = hashlib.sha256()
    for block in _blocks(lines, tree.root()):
        written.update(block)
    return FileManifest(tuple(lines), tree.root(), written.digest(), plain)


def _blocks(lines: list[Line] | tuple[Line, ...], root: bytes) -> Iterator[bytes]:
    written = hashlib.sha256(_HEAD)
    yield _HEAD
    encoder = msgspec.json.Encoder()
    for first in range(0, len(lines), 1024):
        block = encoder.encode_lines(lines[first : first + 1024])
        written.update(block)
        yield block
    tail = {
        "bytes": sum(line[1] for line in lines),
        "files": len(lines),
        "root": f"sha256:{root.hex()}",
        "sha256": written.hexdigest(),
    }
    yield canonical(tail) + b"\n"
