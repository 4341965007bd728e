"""What one process does with the pieces of a fleet that it is given: look, and write down what was found.

A piece is a whole release, or one file of a large one, so that many can look at that. The same piece gives the same
bytes, whoever looks. A file that cannot be read, or changes meanwhile, is a verdict on it and stops nothing else.

Parsers run in a process that is forked beside this one and confined (``inspect.confined``): it can read what lies below
the hubs, and has no network; what is far is read for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.errors import WatchwordError
from watchword.inspect.facts import Inspection, Verdict, shown
from watchword.inspect.file import How, Inspected, inspect_file, not_looked_at
from watchword.inspect.hashing import Step
from watchword.inspect.inspection import inspection_of, tool
from watchword.inspect.walk import Found, Listing
from watchword.sandbox import Kept, keeping

if TYPE_CHECKING:
    from watchword.inspect.confined import Confined

# What says that looking failed, not what the files are: looked at again when the fleet is gone on with.
_PASSING = ("file-unreadable", "inspector-failed")


@dataclass(frozen=True, slots=True)
class Summary:
    """What people are told of one release; ``first``: the worst finding. The whole inspection is in the state."""

    name: str
    verdict: Verdict
    digest: str | None
    files: int
    size: int
    findings: int
    first: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A release of the fleet, by its number in it, and the numbers of the files to look at: all, or one of them."""

    number: int
    name: str
    listing: Listing
    file: int | None = None

    @property
    def size(self) -> int:
        """Of its files, in bytes."""
        return sum(found.size for found in self.listing.files)

    def only(self, file: int) -> Piece:
        """One of its files alone; goes to another process without the rest of the listing."""
        return Piece(self.number, self.name, Listing((self.listing.files[file],), ()), file)


@dataclass(frozen=True, slots=True)
class Whole:
    """A release that was looked at: its number, and its inspection as canonical JSON. ``lasting``: may be kept."""

    number: int
    summary: Summary
    body: bytes
    lasting: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One file that was looked at."""

    number: int
    file: int
    inspected: Inspected


Made = Whole | Part


def look(pieces: Sequence[Piece], how: How) -> list[Made]:
    """What was found in each of *pieces*, in their order.

    Raises:
        NoSandbox: it is required, and this machine confines no process.
    """
    made: list[Made] = []
    with contextlib.closing(_inspected(pieces, how, keeping(how.sandbox))) as looked:
        for piece in pieces:
            if piece.file is not None:
                made.append(Part(piece.number, piece.file, next(looked)))
            else:
                made.append(whole(piece, how, itertools.islice(looked, len(piece.listing.files))))
    return made


def whole(piece: Piece, how: How, inspected: Iterable[Inspected]) -> Whole:
    """The inspection of a release from those of its files, in their order."""
    inspection = inspection_of(piece.listing, piece.name, how, inspected)
    body = json.dumps(inspection.to_json(), sort_keys=True, separators=(",", ":")).encode()
    lasting = not any(finding.rule in _PASSING for finding in inspection.findings)
    return Whole(piece.number, summary_of(inspection), body, lasting)


def died_on(piece: Piece) -> Inspected:
    """What is said of a file on which every process that looked at it ended."""
    return not_looked_at(piece.listing.files[0], "inspector-failed", "the inspector's process died on it")


def summary_of(inspection: Inspection) -> Summary:
    """Of an inspection."""
    first = inspection.findings[0] if inspection.findings else None
    place = "" if first is None or first.path == inspection.files[0].path else f"  {first.path}"
    words = "" if first is None else shown(f"{first.verdict}[{first.rule}]{place}  {first.message}", 300)
    digest = None if inspection.manifest is None else inspection.manifest.digest
    size = sum(report.size for report in inspection.files)
    return Summary(
        inspection.target, inspection.verdict, digest, len(inspection.files), size, len(inspection.findings), words
    )


def key_of(name: str, listing: Listing, how: How) -> str | None:
    """What the result depends on, as a digest: the files' versions, the inspector, how it looks.

    None where a file has no version that would tell of a change.
    """
    if not all(found.version for found in listing.files):
        return None
    files = [[found.path, found.size, found.version] for found in listing.files]
    others = [[path, oddity.rule, oddity.message] for path, oddity in listing.others]
    told = [name, files, others, tool(how.loaded()), how.hash_files, how.weights]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


_here: dict[How, Confined] = {}
"""The confined process of this one: as long as this one works, since what parsers load takes longer than a file."""


def dismiss() -> None:
    """End the confined process of this one."""
    while _here:
        _here.popitem()[1].close()


def _inspected(pieces: Sequence[Piece], how: How, kept: Kept) -> Generator[Inspected, None, None]:
    files = [found for piece in pieces for found in piece.listing.files]
    if kept is Kept.NOTHING:
        yield from (_look(found, how) for found in files)
        return
    from watchword.inspect.confined import Confined

    confined = _here.get(how)
    # A cache may keep its files elsewhere than below the hub, behind a link.
    more = {found.place.parent for found in files if found.far is None}
    if confined is None or not all(any(map(place.is_relative_to, confined.readable)) for place in more):
        readable = {*how.hubs, *more, *(() if confined is None else confined.readable)}
        dismiss()
        confined = _here[how] = Confined(how, readable, kept, lasting=True)
    yield from confined.run(files)


def _look(found: Found, how: How) -> Inspected:
    try:
        return inspect_file(found, how, Step())
    except WatchwordError as error:
        return not_looked_at(found, "file-unreadable", error.message)
