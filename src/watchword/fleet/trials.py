"""Tries one plan on all models of a fleet: what was tried before is taken from the state, the rest goes to a crew.

The results come in the order of the releases, the same bytes whoever ran them and however often it was stopped. A model
is the piece of work: one on which two processes died has no result, with that reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from watchword.fleet.crew import Crew
from watchword.fleet.evaluating import Trial, key_of, misfit, unanswered
from watchword.fleet.hub import Release
from watchword.fleet.looking import Piece
from watchword.fleet.shift import Shift
from watchword.fleet.state import State
from watchword.inspect.walk import NothingThere


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The outcome for one release: ``told`` as JSON data, without rows and plan; the whole of it is in the state."""

    told: dict[str, Any]
    place: tuple[int, int]
    before: bool
    """It was known from the state."""


def evaluate_fleet(
    fleet: Iterable[Release], trial: Trial, crew: Crew, state: State, tell: Callable[[int], None] | None = None
) -> list[Evaluated]:
    """The outcome for every release of *fleet* that has a file, in order; *tell* hears how many are done.

    Raises:
        NothingThere: none has. BadHub: a release cannot be listed; what was tried before stays in *state*.
    """
    run = _Run(trial, state, tell)
    shift = Shift(crew, run.made, lambda piece: unanswered(piece, "the processes that ran it ended"))
    for piece in run.pieces(fleet):
        shift.give([piece])
    shift.finish()
    if not run.done:
        raise NothingThere("no release in the fleet has a file", "nothing was evaluated; check the addresses")
    return [run.done[number] for number in sorted(run.done)]


class _Run:
    def __init__(self, trial: Trial, state: State, tell: Callable[[int], None] | None) -> None:
        self.trial, self.state, self.tell = trial, state, tell
        self.done: dict[int, Evaluated] = {}
        self.keys: dict[int, str | None] = {}

    def pieces(self, fleet: Iterable[Release]) -> Iterator[Piece]:
        """The models that were not tried before; what is known or does not fit is done at once."""
        for number, release in enumerate(fleet):
            listing = release.list()
            if not listing.files and not listing.others:
                continue
            piece = Piece(number, release.name, listing)
            if why := misfit(listing, self.trial.template.subject):
                self.made(unanswered(piece, why))
                continue
            key = self.keys[number] = key_of(release.name, listing, self.trial)
            if key is not None and self.state.known(key):
                self._finished(number, self.state.place(key), before=True)
            else:
                yield piece

    def made(self, one: Any) -> None:
        """Take in a ``Tried``."""
        place = self.state.put(self.keys.get(one.number) if one.lasting else None, one.body)
        self._finished(one.number, place, before=False)

    def _finished(self, number: int, place: tuple[int, int], before: bool) -> None:
        told = json.loads(self.state.at(place))
        del told["schema"]
        if told["evaluation"] is not None:
            told["evaluation"] = {
                name: of for name, of in told["evaluation"].items()
                if name not in ("rows", "examples", "format", "plan", "seed")
            }  # fmt: skip
        self.done[number] = Evaluated(told, place, before)
        if self.tell is not None:
            self.tell(len(self.done))
