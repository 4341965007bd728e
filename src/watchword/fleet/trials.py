"""Tries one plan on all models of a fleet: what was tried before is taken from the state, the rest goes to a crew.

The results come in the order of the releases, the same bytes whoever ran them and however often it was stopped. A model
is the piece of work: who dies on it loses nothing else, it is given out once more, and on the second death it has no
result, with that reason.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from watchword.fleet.crew import Crew
from watchword.fleet.evaluating import Trial, Tried, key_of, misfit, unanswered
from watchword.fleet.hub import Release
from watchword.fleet.looking import Piece
from watchword.fleet.state import State
from watchword.inspect.walk import NothingThere

_DEATHS_MAX = 2


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
    run = _Run(trial, crew, state, tell)
    for number, release in enumerate(fleet):
        run.add(number, release)
    run.finish()
    if not run.done:
        raise NothingThere("no release in the fleet has a file", "nothing was evaluated; check the addresses")
    return [run.done[number] for number in sorted(run.done)]


class _Run:
    def __init__(self, trial: Trial, crew: Crew, state: State, tell: Callable[[int], None] | None) -> None:
        self.trial, self.crew, self.state, self.tell = trial, crew, state, tell
        self.done: dict[int, Evaluated] = {}
        self.keys: dict[int, str | None] = {}
        self.again: deque[Piece] = deque()
        self.deaths: dict[int, int] = {}
        self.out = 0

    def add(self, number: int, release: Release) -> None:
        """Give a release to the crew, where it is a model and was not tried before."""
        listing = release.list()
        if not listing.files and not listing.others:
            return
        piece = Piece(number, release.name, listing)
        if why := misfit(listing, self.trial.template.subject):
            self._kept(unanswered(piece, why))
            return
        key = self.keys[number] = key_of(release.name, listing, self.trial)
        if key is not None and self.state.known(key):
            self._finished(number, self.state.place(key), before=True)
        else:
            self._give(piece)

    def finish(self) -> None:
        """Wait for all that is out."""
        while self.out or self.again:
            if self.again:
                self._give(self.again.popleft())
            else:
                self._take()

    def _give(self, piece: Piece) -> None:
        while self.out >= self.crew.size:
            self._take()
        self.crew.give([piece])
        self.out += 1

    def _take(self) -> None:
        batch, made = self.crew.taken()
        self.out -= 1
        if made is not None:
            for one in made:
                self._kept(one)
            return
        for piece in batch:
            self.deaths[piece.number] = self.deaths.get(piece.number, 0) + 1
            if self.deaths[piece.number] < _DEATHS_MAX:
                self.again.append(piece)
            else:
                self._kept(unanswered(piece, "the processes that ran it ended"))

    def _kept(self, one: Tried) -> None:
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
