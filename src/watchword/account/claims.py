"""What a supplier claimed of a release, held against what others found since. Pure.

* A claim is compared line by line: each data set, each test, each weakness, the time of support.
* Others confirm; the supplier's own evidence never does. It contradicts its claim as anybody's does.
* An interval decides, not a point: a run confirms a bound when its whole interval lies within, contradicts it when the
  whole interval lies outside, and else settles nothing, because it was too small to tell.
* One run that contradicts is enough, whoever else confirms. What has fallen (retracted, disputed, its key revoked)
  confirms nothing; a contradiction that fell stays and says so, since taking the worst run away must not help.
* Two tests are the same when method and metric are, letter by letter. What others found of which the claim says nothing
  is listed beside it, so that another spelling hides nothing.
* Not decided here: whether a release may be used. A claim is evidence like any other (``policy``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from watchword.ledger.view import Fact
from watchword.statements.evaluations import counted
from watchword.statements.statement import Statement
from watchword.statements.times import parse_time

CONFIRMS, CONTRADICTS, UNSETTLED = "confirms", "contradicts", "settles nothing"


@dataclass(frozen=True)
class Found:
    """A statement beside a line: ``does`` is what it does to it, ``fell`` why it no longer counts (else empty)."""

    statement: Statement
    says: str
    does: str
    fell: str


@dataclass(frozen=True)
class Line:
    """One line of a claim.

    ``state``: ``confirmed``, ``contradicted``, ``unsettled``, ``not re-run``; of support ``promised`` or ``lapsed``.
    """

    part: str
    says: str
    state: str
    found: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A claim and what stands against it. ``unclaimed``: what others found of which it says nothing."""

    claim: Statement
    fell: str
    lines: tuple[Line, ...]
    unclaimed: tuple[Found, ...]

    @property
    def contradicted(self) -> bool:
        """Whether any line is."""
        return any(line.state == "contradicted" for line in self.lines)


def compare(claim: Fact, considered: Iterable[Fact], fell: Mapping[str, str], moment: datetime) -> Comparison:
    """Hold one claim against the evidence considered of its release.

    Args:
        considered: as step 1 of a decision considers it (``ledger.listing.consider``).
        fell: why statements have fallen, by id (step 3).
        moment: when the support is asked for.
    """
    said = claim.signed.statement
    fields = said.predicate
    evidence = [fact.signed.statement for fact in considered if fact.signed.statement.id != said.id]
    by = _Found(evidence)
    lines = [
        *(_line("trained on", _data(one), said, _on_data(one, by), fell) for one in fields.get("trained_on", ())),
        *(_line("tested", _test(one), said, _on_test(one, by), fell) for one in fields.get("tested", ())),
        *(
            _line("known weakness", one["text"], said, _on_weakness(one, by), fell)
            for one in fields.get("known_weaknesses", ())
        ),
    ]
    until = fields["support_until"]
    if until is not None:
        lines.append(Line("support", f"until {until}", "lapsed" if moment > parse_time(until) else "promised"))
    taken = {found.statement.id for line in lines for found in line.found}
    rest = tuple(
        Found(one, says, UNSETTLED, fell.get(one.id, ""))
        for one, says in _unclaimed(fields, evidence)
        if one.issuer != said.issuer and one.id not in taken
    )
    return Comparison(said, fell.get(said.id, ""), tuple(lines), rest)


class _Found:
    """The evidence by what a line asks for, so that long claims and long bills cost no more than their sum."""

    def __init__(self, evidence: Sequence[Statement]) -> None:
        self.named: dict[str, list[tuple[Statement, str, str]]] = defaultdict(list)
        self.same: dict[str, list[tuple[Statement, str, str]]] = defaultdict(list)
        self.runs: dict[str, list[Statement]] = defaultdict(list)
        for one, name, digest in _data_sets(evidence):
            self.named[name].append((one, name, digest))
            self.same[digest].append((one, name, digest))
        for one in evidence:
            if one.kind == "evaluation" and "method" in one.predicate:
                self.runs[one.predicate["method"]].append(one)


def _line(
    part: str, says: str, claim: Statement, against: Iterable[tuple[Statement, str, str]], fell: Mapping[str, str]
) -> Line:
    found = tuple(
        Found(one, what, does, fell.get(one.id, ""))
        for one, what, does in against
        if one.issuer != claim.issuer or does == CONTRADICTS
    )
    if any(one.does == CONTRADICTS for one in found):
        state = "contradicted"
    elif any(one.does == CONFIRMS and not one.fell for one in found):
        state = "confirmed"
    else:
        state = "unsettled" if found else "not re-run"
    return Line(part, says, state, found)


def _data(one: Mapping[str, Any]) -> str:
    return str(one["name"]) if one["digest"] is None else f"{one['name']} ({one['digest']})"


def _test(one: Mapping[str, Any]) -> str:
    return f"{one['metric']} {one['bound']} {one['value']} by {one['method']} ({one['k']} of {one['n']}, {one['by']})"


def _on_data(claimed: Mapping[str, Any], by: _Found) -> Iterator[tuple[Statement, str, str]]:
    if claimed["digest"] is not None:
        for one, name, _ in by.same.get(claimed["digest"], ()):
            yield one, f"the same data, named {name}", CONFIRMS
    for one, name, digest in by.named.get(claimed["name"], ()):
        if digest != claimed["digest"]:
            # Without a digest nothing was claimed that could turn out false.
            yield one, f"{name} is {digest}", UNSETTLED if claimed["digest"] is None else CONTRADICTS


def _data_sets(evidence: Iterable[Statement]) -> Iterator[tuple[Statement, str, str]]:
    for one in evidence:
        fields = one.predicate
        if one.kind == "data-screening":
            yield one, fields.get("dataset", "(redacted)"), fields["delivered"]
        elif one.kind == "bill-of-materials":
            yield from ((one, data["name"], data["digest"]) for data in fields["datasets"])


def _on_test(claimed: Mapping[str, Any], by: _Found) -> Iterator[tuple[Statement, str, str]]:
    for one in by.runs.get(claimed["method"], ()):
        fields = one.predicate
        if fields["metric"] != claimed["metric"]:
            continue
        low, high, value = Decimal(fields["low"]), Decimal(fields["high"]), Decimal(claimed["value"])
        if claimed["bound"] == "at most":
            within, outside = high <= value, low > value
        else:
            within, outside = low >= value, high < value
        yield one, _run(fields), CONFIRMS if within else CONTRADICTS if outside else UNSETTLED


def _on_weakness(claimed: Mapping[str, Any], by: _Found) -> Iterator[tuple[Statement, str, str]]:
    for one in by.runs.get(claimed["method"], ()):
        # A weakness that was admitted is not made untrue by a run that did not show it.
        yield one, _run(one.predicate), CONFIRMS


def _unclaimed(fields: Mapping[str, Any], evidence: Sequence[Statement]) -> Iterator[tuple[Statement, str]]:
    for one in evidence:
        if one.kind == "evaluation":
            yield one, _run(one.predicate)
        elif one.kind == "inspection" and one.predicate["verdict"] != "nothing-found":
            yield one, f"{one.predicate['verdict']}: {one.predicate['dangerous']} dangerous"
        elif one.kind == "review" and one.predicate["outcome"] != "in favour":
            yield one, f"{one.predicate['of']} review: {one.predicate['outcome']}"
    names = {data["name"] for data in fields.get("trained_on", ())}
    for one, name, digest in _data_sets(evidence):
        if name not in names:
            yield one, f"data set {name} ({digest})"


def _run(fields: Mapping[str, Any]) -> str:
    by = fields.get("method", "(redacted)")
    return f"{counted(fields)} by {by}"
