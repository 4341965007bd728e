"""One plan on every model of a fleet as evidence: committed, drawn by others, run, recorded (docs/protocol.md, 12).

1. Every release is named by its digest; what cannot be is told with the reason, and counts as one without a result.
2. The plan is committed for each digest, once. The template's release is each model's own, so each has its own draw.
3. A release whose plan is drawn is run under its own seed, and must still have the digest that was committed.
4. One evaluation is recorded for each plan and draw, as ``evaluate run`` does; what was recorded is not run again.

Whoever runs a model signs nothing: statements are made by the node that asks, from results whose counts follow from
their rows. Not checked here: who else can write to the state; what it holds is signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.evaluate.plan import Plan
from watchword.evaluate.written import result_from
from watchword.fleet.crew import Crew
from watchword.fleet.evaluating import Named, Trial, body_of, misfit, of_release, without
from watchword.fleet.hub import Release, subject_name
from watchword.fleet.looking import Piece
from watchword.fleet.shift import Shift
from watchword.fleet.state import State
from watchword.fleet.trials import Answered, Drawn, Evaluated
from watchword.inspect.walk import Listing, NothingThere
from watchword.record.evaluating import (
    NotDrawn,
    attached_report,
    commit_plan,
    committed_plans,
    draw_of,
    record_evaluation,
)
from watchword.statements.canonical import NotCanonical, parse_json
from watchword.statements.statement import Subject

if TYPE_CHECKING:
    from watchword.evaluate.run import Result
    from watchword.node import Node
    from watchword.node.recorded import Located
    from watchword.record.evaluating import Scope
    from watchword.statements.statement import Statement

_KIND = "watchword-fleet-release/1"


@dataclass(frozen=True, slots=True)
class NamedRelease:
    """A release of the fleet and its digest, or why it has none that counts."""

    release: Release
    digest: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Committed:
    """What came of committing the plan for one release: the statement's locator, or why there is none."""

    name: str
    release: str | None
    plan: str | None
    before: bool
    why: str


def named_fleet(
    fleet: Iterable[Release], trial: Trial, crew: Crew, state: State, tell: Callable[[int], None] | None = None
) -> list[NamedRelease]:
    """Every release of *fleet* that has a file, with its digest; *crew* does ``evaluating.tried``.

    Raises:
        NothingThere: none has. BadHub: a release cannot be listed.
    """
    run = _Naming(trial, state, tell)
    shift = Shift(crew, run.made, lambda piece: Named(piece.number, None, "the processes that read it ended"))
    for piece in run.pieces(fleet):
        shift.add(piece)
    shift.finish()
    if not run.done:
        raise NothingThere("no release in the fleet has a file", "nothing was evaluated; check the addresses")
    return [run.done[number] for number in sorted(run.done)]


def commit_fleet(
    node: Node, template: Plan, fleet: Sequence[NamedRelease], *, draw_from: str | None = None,
    person: str | None = None, scope: Scope = "alliance",
) -> list[Committed]:  # fmt: skip
    """Commit the plan for every release of *fleet* that has a digest and no such plan yet; as ``commit_plan``.

    Raises:
        WatchwordError: as ``commit_plan``; what was committed before stays, and is not committed again.
    """
    there = {digest: located.locator for digest, located in reversed(list(committed_plans(node)))}
    made = []
    for one in fleet:
        if one.digest is None:
            made.append(Committed(one.release.name, None, None, False, one.why))
            continue
        plan = of_release(template, one.digest)
        before = plan.digest in there
        if not before:
            subject = Subject(subject_name(one.release.name), one.digest)
            recorded = commit_plan(node, plan, subject, draw_from=draw_from, person=person, scope=scope)
            there[plan.digest] = recorded.locator
        made.append(Committed(one.release.name, one.digest, there[plan.digest], before, ""))
    return made


def drawn_fleet(node: Node, template: Plan, fleet: Sequence[NamedRelease]) -> list[Release]:
    """*fleet* for ``evaluate_fleet``: what is drawn with its seed; all else with what is told of it without a run."""
    plans, there = _plans(node), _evaluations(node)
    return [_drawn(node, one, template, plans, there) for one in fleet]


def record_fleet(node: Node, made: Sequence[Evaluated], state: State, *, person: str | None = None) -> list[str | None]:
    """Record an evaluation for each of *made* that has a result: their locators, None where there is none.

    Raises:
        NotDrawn, WatchwordError: as ``record_evaluation``; what was recorded before is not recorded again.
    """
    plans = _plans(node)
    locators: list[str | None] = []
    for one in made:
        value = json.loads(state.at(one.place))["evaluation"]
        if value is None:
            locators.append(None)
            continue
        try:
            result = result_from(value)
            committed = plans[result.plan.digest]
        except (ValueError, KeyError):  # the state holds what no run of ours wrote
            locators.append(None)
            continue
        recorded = record_evaluation(node, result, committed, draw_of(node, committed), person=person)
        locators.append(recorded.locator)
    return locators


class _Naming:
    def __init__(self, trial: Trial, state: State, tell: Callable[[int], None] | None) -> None:
        self.trial, self.state, self.tell = trial, state, tell
        self.open: dict[int, tuple[Release, str | None]] = {}
        self.done: dict[int, NamedRelease] = {}

    def pieces(self, fleet: Iterable[Release]) -> Iterator[Piece]:
        """The releases whose digest is not known; what does not fit the plan needs none."""
        for number, release in enumerate(fleet):
            listing = release.list()
            if not listing.files and not listing.others:
                continue
            key = _key(release.name, listing)
            self.open[number] = release, key
            if why := misfit(listing, self.trial.template.subject):
                self._done(number, None, why)
            elif key is not None and self.state.known(key):
                self._done(number, json.loads(self.state.got(key)), "")
            else:
                yield Piece(number, release.name, listing)

    def made(self, one: Any) -> None:
        """Take in a ``Named``."""
        key = self.open[one.number][1]
        if one.digest is not None and key is not None:
            self.state.put(key, json.dumps(one.digest).encode())
        self._done(one.number, one.digest, one.why)

    def _done(self, number: int, digest: str | None, why: str) -> None:
        self.done[number] = NamedRelease(self.open.pop(number)[0], digest, why)
        if self.tell is not None:
            self.tell(len(self.done))


def _drawn(
    node: Node, one: NamedRelease, template: Plan, plans: dict[str, Located], there: dict[tuple[str, str], Statement]
) -> Release:
    name, listed = one.release.name, one.release.list
    if one.digest is None:
        return Answered(name, listed, without(name, one.why))
    committed = plans.get(of_release(template, one.digest).digest)
    if committed is None:
        return Answered(name, listed, without(name, "its plan was not committed", one.digest))
    try:
        draw = draw_of(node, committed)
    except NotDrawn as error:
        return Answered(name, listed, without(name, f"no draw yet: {error.message}", one.digest))
    before = there.get((committed.signed.statement.id, draw.seed))
    result = None if before is None else _report(node, before)
    if result is not None:
        return Answered(name, listed, body_of(name, one.digest, result, timed=True))
    return Drawn(name, listed, one.digest, draw.seed)


def _report(node: Node, evaluation: Statement) -> Result | None:
    """What was attached to an evaluation; None where that is not held, or no result: it is run again then."""
    found = attached_report(node, evaluation)
    try:
        return None if found is None else result_from(parse_json(found, evaluation.id, len(found)))
    except (NotCanonical, ValueError):
        return None


def _plans(node: Node) -> dict[str, Located]:
    """This member's plans by their digests; the first, where one was committed again."""
    return dict(reversed(list(committed_plans(node))))


def _evaluations(node: Node) -> dict[tuple[str, str], Statement]:
    """This member's evaluations, by plan statement and seed."""
    own = (one.statement for one in node.statements() if one.statement.issuer == node.member)
    return {(one.predicate["plan"], one.predicate["seed"]): one for one in own if one.kind == "evaluation"}


def _key(name: str, listing: Listing) -> str | None:
    if not all(found.version for found in listing.files):
        return None
    files = [[found.path, found.size, found.version] for found in listing.files]
    return hashlib.sha256(json.dumps([_KIND, name, files]).encode()).hexdigest()
