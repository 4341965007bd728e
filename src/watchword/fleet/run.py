"""Looks at all releases of a fleet: what was seen before is taken from the state, the rest goes to a crew.

* The results come in the order of the releases, the same bytes whoever looked and however often it was stopped.
* Small releases travel together; of a large one each file travels alone.
* Who dies loses nothing (``shift``): in the end one file alone, on which two died, has the verdict that nobody could
  look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from watchword.fleet.crew import Crew
from watchword.fleet.hub import Release
from watchword.fleet.looking import Part, Piece, Summary, Whole, died_on, key_of, whole
from watchword.fleet.shift import Shift
from watchword.fleet.state import State
from watchword.inspect.file import How, Inspected
from watchword.inspect.walk import NothingThere
from watchword.limits import FLEET_SPLIT_BYTES

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Looked:
    """The outcome for one release: what people are told, and where in the state its inspection stands."""

    summary: Summary
    place: Place
    before: bool
    """It was known from the state."""


@dataclass
class _Open:
    """A release that is being looked at: its key, and for a large one what is there of its files."""

    piece: Piece
    key: str | None
    parts: dict[int, Inspected] = field(default_factory=dict)


def inspect_fleet(
    fleet: Iterable[Release], how: How, crew: Crew, state: State, tell: Callable[[int], None] | None = None
) -> list[Looked]:
    """The outcome for every release of *fleet* that has a file, in order; *tell* hears how many are done.

    Raises:
        NothingThere: none has. BadHub: a release cannot be listed; what was seen before stays in *state*.
    """
    run = _Run(how, state, tell)
    shift = Shift(crew, run.made, lambda piece: Part(piece.number, piece.file or 0, died_on(piece)), split=True)
    for piece in run.pieces(fleet):
        shift.add(piece)
    shift.finish()
    if not run.done:
        raise NothingThere("no release in the fleet has a file", "nothing was looked at; check the addresses")
    return [run.done[number] for number in sorted(run.done)]


class _Run:
    def __init__(self, how: How, state: State, tell: Callable[[int], None] | None) -> None:
        self.how, self.state, self.tell = how, state, tell
        self.done: dict[int, Looked] = {}
        self.open: dict[int, _Open] = {}

    def pieces(self, fleet: Iterable[Release]) -> Iterator[Piece]:
        """What is to be looked at; what is known is done at once."""
        for number, release in enumerate(fleet):
            listing = release.list()
            if not listing.files and not listing.others:
                continue
            piece, key = Piece(number, release.name, listing), key_of(release.name, listing, self.how)
            if key is not None and self.state.known(key):
                place = self.state.place(key)
                self._finished(number, Looked(self.state.summary(place), place, before=True))
                continue
            self.open[number] = _Open(piece, key)
            if not listing.files:  # nothing that somebody could die on
                self.made(whole(piece, self.how, ()))
            elif piece.size > FLEET_SPLIT_BYTES and len(listing.files) > 1:
                yield from (piece.only(file) for file in range(len(listing.files)))
            else:
                yield piece

    def made(self, one: Any) -> None:
        """Take in a ``looking.Made``: a whole release, or one file of it."""
        waiting = self.open[one.number]
        if isinstance(one, Part):
            waiting.parts[one.file] = one.inspected
            if len(waiting.parts) < len(waiting.piece.listing.files):
                return
            one = whole(waiting.piece, self.how, (waiting.parts[file] for file in sorted(waiting.parts)))
        self._kept(one)

    def _kept(self, one: Whole) -> None:
        place = self.state.keep(self.open.pop(one.number).key, one)
        self._finished(one.number, Looked(one.summary, place, before=False))

    def _finished(self, number: int, looked: Looked) -> None:
        self.done[number] = looked
        if self.tell is not None:
            self.tell(len(self.done))
