"""Tries one plan on all models of a fleet: what was tried before is taken from the state, the rest goes to a crew.

The results come in the order of the releases, the same bytes whoever ran them and however often it was stopped. A model
is the piece of work: one on which two processes died has no result, with that reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from watchword.fleet.crew import Crew
from watchword.fleet.evaluating import Model, Trial, key_of, misfit, unanswered
from watchword.fleet.hub import Release
from watchword.fleet.shift import Shift
from watchword.fleet.state import State
from watchword.inspect.walk import NothingThere


@dataclass(frozen=True, slots=True)
class Drawn(Release):
    """A release that is to be run under a seed of its own, and must have this digest."""

    digest: str
    seed: str


@dataclass(frozen=True, slots=True)
class Answered(Release):
    """A release that is not to be run; ``body``: what is told of it, as ``evaluating.body_of`` or ``without`` say."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The outcome for one release: ``told`` as JSON data, without rows and plan; the whole of it is in the state."""

    told: dict[str, Any]
    place: tuple[int, int]
    before: bool
    """It was known from the state, or on record."""


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

    def pieces(self, fleet: Iterable[Release]) -> Iterator[Model]:
        """The models that were not tried before; what is known or does not fit is done at once."""
        for number, release in enumerate(fleet):
            if isinstance(release, Answered):
                self._answered(number, hashlib.sha256(release.body).hexdigest(), release.body)
                continue
            listing = release.list()
            if not listing.files and not listing.others:
                continue
            drawn = (release.seed, release.digest) if isinstance(release, Drawn) else (self.trial.seed, None)
            piece = Model(number, release.name, listing, None, *drawn)
            if why := misfit(listing, self.trial.template.subject):
                self.made(unanswered(piece, why))
                continue
            key = self.keys[number] = key_of(piece, self.trial)
            if key is not None and self.state.known(key):
                self._finished(number, self.state.place(key), before=True)
            else:
                yield piece

    def made(self, one: Any) -> None:
        """Take in a ``Tried``."""
        place = self.state.put(self.keys.get(one.number) if one.lasting else None, one.body)
        self._finished(one.number, place, before=False)

    def _answered(self, number: int, key: str, body: bytes) -> None:
        place = self.state.place(key) if self.state.known(key) else self.state.put(key, body)
        self._finished(number, place, before=bool(json.loads(body)["evaluation"]))

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
