"""The file manifests of all deliveries of a hub: the bytes that ``data manifest FOLDER`` gives, wherever they lie.

* A file that is elsewhere passes once and never lands here; what was promised of it (a registry names it by its digest,
  a store by a version) must hold.
* A file is the piece of work; the lines that a crew makes of them are the same whoever read. One on which two processes
  died is a file that cannot be read.
* The state has a line for each file, under a digest of path, length and version; so a run that was stopped goes on with
  what it had not read, and what did not change is not read again.
* A delivery with a link, or a file that cannot be read or changes meanwhile, has no manifest and says why, for the
  first such file; the others have theirs. A file that stands alone is a delivery of one file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from watchword import __version__
from watchword.data.files import SCHEMA, FileManifest, Line, far_line, manifest_of_lines, near_line
from watchword.data.row import DataError
from watchword.errors import WatchwordError
from watchword.fleet.crew import Crew
from watchword.fleet.hub import Release
from watchword.fleet.looking import Piece
from watchword.fleet.shift import Shift
from watchword.fleet.state import State
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found

_KIND = "watchword-data-line/1"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery: its manifest, or why it has none; ``known``: how many of its files were in the state."""

    name: str
    manifest: FileManifest | None
    why: str = ""
    known: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A file by the numbers of its delivery and in it: its line, or why there is none."""

    number: int
    file: int
    line: Line | None
    why: str = ""


def read(pieces: Iterable[Piece], _how: None) -> list[Read]:
    """What each of *pieces*, of one file each, holds, in their order."""
    return [_read(piece) for piece in pieces]


def reader(_how: None) -> dict[str, Any]:
    """What lines depend on at this machine."""
    return {"form": SCHEMA, "watchword": __version__}


def manifest_fleet(
    fleet: Iterable[Release], crew: Crew, state: State, tell: Callable[[int], None] | None = None
) -> Iterator[Delivered]:
    """The manifest of each delivery, in their order; *crew* does ``read``; *tell* hears how many are done.

    Raises:
        BadHub: a delivery cannot be listed; what was read before stays in *state*.
    """
    run = _Run(state, tell)
    shift = Shift(crew, run.made, lambda piece: Read(piece.number, piece.file or 0, None, _died_on(piece)))
    for number, release in enumerate(fleet):
        for piece in run.pieces(number, release):
            shift.add(piece)
        yield from run.whole()
    shift.finish()
    yield from run.whole()


@dataclass
class _Open:
    """A delivery that is being read. ``left``: its files of which nothing is heard yet."""

    name: str
    files: tuple[Found, ...]
    left: int
    lines: list[Line] = field(default_factory=list)
    known: int = 0
    why: tuple[int, str] | None = None
    """The first file without a line, and its reason. Files are given out in order, so it is the same for all crews."""

    def delivered(self) -> Delivered:
        if self.why is not None:
            return Delivered(self.name, None, self.why[1])
        return Delivered(self.name, manifest_of_lines(self.lines), known=self.known)


class _Run:
    def __init__(self, state: State, tell: Callable[[int], None] | None) -> None:
        self.state, self.tell = state, tell
        self.open: dict[int, _Open] = {}
        self.told = 0

    def pieces(self, number: int, release: Release) -> Iterator[Piece]:
        """The files of a delivery that are to be read; what is known has its line at once."""
        listing = release.list()
        waiting = self.open[number] = _Open(release.name, listing.files, len(listing.files))
        if listing.others:
            path, oddity = listing.others[0]
            waiting.why, waiting.left = (-1, f"{shown(path)}: {oddity.message}"), 0
            return
        whole = Piece(number, release.name, listing)
        for file, found in enumerate(listing.files):
            key = _key(found)
            if key is not None and self.state.known(key):
                path, size, digest, chunks, credentials = json.loads(self.state.got(key))
                waiting.lines.append((path, size, digest, chunks, credentials))
                waiting.known += 1
            elif waiting.why is None:
                yield whole.only(file)
                continue
            waiting.left -= 1

    def made(self, one: Any) -> None:
        """Take in a ``Read``."""
        waiting = self.open[one.number]
        waiting.left -= 1
        if one.line is None:
            waiting.why = min(waiting.why or (one.file, one.why), (one.file, one.why))
            return
        self.state.put(_key(waiting.files[one.file]), json.dumps(one.line, separators=(",", ":")).encode())
        waiting.lines.append(one.line)

    def whole(self) -> Iterator[Delivered]:
        """The deliveries of which all is heard, as far as their order goes."""
        while self.told in self.open and not self.open[self.told].left:
            waiting = self.open.pop(self.told)
            self.told += 1
            if self.tell is not None:
                self.tell(self.told)
            if waiting.files or waiting.why:
                yield waiting.delivered()


def _read(piece: Piece) -> Read:
    (found,), file = piece.listing.files, piece.file or 0
    try:
        if found.far is not None:
            return Read(piece.number, file, far_line(found.path, found.size, found.far.read, found.far.promised))
        return Read(piece.number, file, near_line(found.place, found.path))
    except (DataError, OSError) as error:
        return Read(piece.number, file, None, shown(_reason(error, found.path), 300))


def _reason(error: DataError | OSError, path: str) -> str:
    if isinstance(error, WatchwordError):
        return error.message
    return f"{shown(path)}: {error.strerror.lower()}" if error.strerror else str(error)


def _died_on(piece: Piece) -> str:
    return f"{shown(piece.listing.files[0].path)}: the processes that read it ended"


def _key(found: Found) -> str | None:
    if not found.version:
        return None
    told = [_KIND, found.path, found.size, found.version, None if found.far is None else repr(found.far)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
