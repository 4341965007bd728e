"""How people answer what a gate holds for them: figures with intervals, from its receipts and their approvals. Pure.

* A *pool* is everybody who answered holds that a rule put to one role. Figures are per pool, per member in it, and, for
  the own member alone, per person: what a member's people do is nobody else's to read. So another member has figures
  from OVERSIGHT_PEOPLE_MIN people on; and what the own people answered at other gates is read from their approvals.
* Only holds that have ended count, and only answers that the gate took in. What it did not take is in no record.
* Decision time runs from the hold's receipt to the signature: when a person looked is not known, so it is an upper
  bound. Both are the signers' clocks.
* An *override* is an answer that ended the hold: a person did otherwise than the system asked.
* Vigilance probes (``probes``) stand apart. Caught is any answer but to approve. Every ordinary action that somebody
  did not approve counts as a false alarm, though some were rightly refused: that rate is an upper bound too.
* A pool's state for allies is one word about nobody: of fewer than OVERSIGHT_PEOPLE_MIN people it is withheld.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from watchword.gate.intervals import Detection, Range, detection, middle, rate, share
from watchword.gate.receipts import Receipt
from watchword.gate.request import ENDING
from watchword.limits import OVERSIGHT_PEOPLE_MIN, PROBES_TELLING
from watchword.statements.statement import Statement
from watchword.statements.times import parse_time, rfc3339

SCHEMA = "watchword-oversight/1"
HOUR_S = 3600
APPROVE = "approve"
State = Literal["pass", "fail", "too-few", "withheld", "no-probes"]


@dataclass(frozen=True)
class Given:
    """One person's answer to one hold that has ended. ``ended``: it was this answer that ended it.

    ``warned``: the screen named values without a clean origin. ``probe``: the action was a vigilance probe.
    """

    person: str
    member: str
    role: str
    answer: str
    asked: datetime
    signed: datetime
    ended: bool
    warned: bool
    probe: bool

    @property
    def seconds(self) -> float:
        """From the hold's receipt to the signature; not below 0, whatever the clocks say."""
        return max(0.0, (self.signed - self.asked).total_seconds())


@dataclass(frozen=True)
class Waited:
    """One hold that has ended: for whom it waited, from when to when, and how it ended."""

    role: str
    asked: datetime
    ended: datetime
    event: str
    probe: bool


@dataclass(frozen=True)
class Traffic:
    """What was held and what was answered, both in the order of the record."""

    given: tuple[Given, ...]
    waited: tuple[Waited, ...]
    receipts: int


@dataclass(frozen=True)
class Vigilance:
    """How probes were answered. ``caught`` of those answered; ``alarms`` of ordinary actions answered."""

    caught: Range
    alarms: Range
    detection: Detection | None


@dataclass(frozen=True)
class Figures:
    """The figures of one pool, one member in it, or one person. ``of`` names it: role, member or "", person or "".

    ``seconds`` is the median decision time; ``quick`` the share approved in under ``under_s``; ``warned`` the share
    approved of those shown with a warning. ``load``: answers an hour, from the first hold to the last answer;
    ``busiest``: those in the busiest hour; ``queue``: the most holds that waited at once, of a pool alone; ``streak``:
    the longest run of approvals.
    """

    of: tuple[str, str, str]
    people: int
    answers: tuple[tuple[str, int], ...]
    seconds: Range | None
    under_s: int
    quick: Range
    overrides: Range
    warned: Range
    load: Range | None
    busiest: int
    queue: int
    streak: int
    unanswered: int
    vigilance: Vigilance | None

    @property
    def name(self) -> str:
        """For people: ``pool commander``, ``BRAVO``, ``the watch of BRAVO``."""
        role, member, person = self.of
        there = f" {role}" if member and role.startswith("at ") else ""
        return (f"{person} of {member}" if person else member or f"pool {role}") + there

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        role, member, person = self.of
        vigilance, total = self.vigilance, sum(count for _, count in self.answers)
        return {
            "answers": {kind: share(count, total).value() | {"count": count} for kind, count in self.answers},
            "busiest_hour": self.busiest,
            "load": None if self.load is None else self.load.value(),
            "member": member or None,
            "overrides": self.overrides.value(),
            "people": self.people,
            "person": person or None,
            "quick": self.quick.value() | {"under_s": self.under_s},
            "queue": self.queue,
            "role": role,
            "seconds": None if self.seconds is None else self.seconds.value(),
            "streak": self.streak,
            "unanswered": self.unanswered,
            "vigilance": None
            if vigilance is None
            else {
                "alarms": vigilance.alarms.value(),
                "c": None if vigilance.detection is None else vigilance.detection.c.value(),
                "caught": vigilance.caught.value(),
                "d": None if vigilance.detection is None else vigilance.detection.d.value(),
                "words": in_words(vigilance),
            },
            "warned": self.warned.value(),
        }


def traffic(
    receipts: Sequence[Receipt],
    statement_of: Callable[[str], Statement | None],
    role_of: Callable[[str, str], str | None],
) -> Traffic:
    """What a gate's record says people did.

    Args:
        statement_of: the approval of this id; None where it is not held, and then it is not counted.
        role_of: whom rule *id* of a mandate asks (mandate id, rule id); None where that is not held.
    """
    probes = {receipt.hold for receipt in receipts if receipt.event == "revealed"}
    open_: dict[str, tuple[Receipt, str, list[tuple[Statement, bool]]]] = {}
    given: list[Given] = []
    waited: list[Waited] = []
    for receipt in receipts:
        hold = receipt.hold or ""
        if receipt.event == "held":
            role = role_of(receipt.mandate or "", receipt.rule or "")
            open_[hold] = receipt, role or "unknown", []
            continue
        if hold not in open_ or receipt.event == "denied":
            continue
        held, role, answered = open_[hold]
        ends = receipt.event not in ("approved", "passed")
        # ``released`` names again what ``approved`` did.
        for id in receipt.approvals if receipt.event != "released" else ():
            statement = statement_of(id)
            if statement is not None:
                answered.append((statement, ends))
        if ends:
            asked, probe = parse_time(held.time), hold in probes
            given += [_given(one, role, asked, ended, bool(held.unclean), probe) for one, ended in answered]
            waited.append(Waited(role, asked, parse_time(receipt.time), receipt.event, probe))
            del open_[hold]
    return Traffic(tuple(given), tuple(waited), len(receipts))


def elsewhere(statements: Iterable[Statement], member: str) -> tuple[Given, ...]:
    """What *member*'s people answered at other members' gates, as their approvals say; which were probes is not known.

    Args:
        statements: those held, of any kind; one that is there twice counts once.
    """
    found = {}
    for one in statements:
        if one.kind == "approval" and one.issuer == member and one.predicate["gate"] != member:
            said = one.predicate
            ended = said["answer"] in ENDING
            found[one.id] = _given(one, f"at {said['gate']}", parse_time(said["asked"]), ended, False, False)
    return tuple(found.values())


def figures(
    of: Traffic, member: str, under_s: int, since: datetime | None = None, until: datetime | None = None
) -> tuple[Figures, ...]:
    """The figures of every pool, then of each member in it, then of *member*'s own people; sorted.

    Args:
        since, until: only what was asked from the one up to the other.
    """

    def within(moment: datetime) -> bool:
        return (since is None or moment >= since) and (until is None or moment < until)

    given = [one for one in of.given if within(one.asked)]
    waited = [one for one in of.waited if within(one.asked)]
    found = []
    pools = {one.role for one in waited}
    for role in sorted(pools | {one.role for one in given}):
        of_role = [one for one in given if one.role == role]
        if role in pools:
            found.append(_figures((role, "", ""), of_role, [one for one in waited if one.role == role], under_s))
        for name in sorted({one.member for one in of_role}):
            of_member = [one for one in of_role if one.member == name]
            of_all = _figures((role, name, ""), of_member, [], under_s)
            if name == member or of_all.people >= OVERSIGHT_PEOPLE_MIN:
                found.append(of_all)
            if name == member:
                for person in sorted({one.person for one in of_member}):
                    own = [one for one in of_member if one.person == person]
                    found.append(_figures((role, name, person), own, [], under_s))
    return tuple(found)


CAUGHT_MIN = "0.9"
"""The share of known-bad actions that a pool has to catch where no mandate says. Origin: below it, drills have to be
many before they tell anything (see PROBES_TELLING)."""


def state_of(pool: Figures, caught_min: str) -> State:
    """What allies are told of a pool: whether it catches at least *caught_min* (a decimal text) of known-bad actions.

    ``fail`` when even the upper bound is below, ``pass`` when even the lower one is not, ``too-few`` in between.
    """
    if pool.people < OVERSIGHT_PEOPLE_MIN:
        return "withheld"
    if pool.vigilance is None:
        return "no-probes"
    caught, least = pool.vigilance.caught, float(Decimal(caught_min))
    if caught.high is not None and caught.high < least:
        return "fail"
    return "pass" if caught.low is not None and caught.low >= least else "too-few"


def in_words(vigilance: Vigilance) -> str:
    """What the probes say, and how little that is while they are few."""
    caught = vigilance.caught
    k = round(caught.at * caught.n)
    text = f"caught {k} of {caught.n}: the true rate may be anything {_span(caught)}"
    if caught.n < PROBES_TELLING:
        text += f"; it takes about {PROBES_TELLING} probes to tell one person from another"
    return text


def percent(of: Range) -> str:
    """``90 % (68 to 99 %, n = 20)``; ``nothing yet`` of nothing."""
    return f"{100 * of.at:.0f} % ({_span(of).removeprefix('from ')}, n = {of.n})" if of.n else "nothing yet"


def _span(of: Range) -> str:
    return f"from {100 * (of.low or 0):.0f} to {100 * (1 if of.high is None else of.high):.0f} %"


def seconds(of: Range | None) -> str:
    """``12 s (9 to 20 s, n = 14)``."""
    if of is None:
        return "nothing yet"
    span = "no interval" if of.low is None or of.high is None else f"{of.low:.0f} to {of.high:.0f} s"
    return f"{of.at:.0f} s ({span}, n = {of.n})"


def statement_fields(
    pool: Figures, gate: str, receipts: int, caught_min: str, since: datetime, until: datetime
) -> dict[str, Any]:
    """The fields of the ``oversight`` statement about *pool*: nothing in it is about a person."""
    return {
        "caught_min": caught_min,
        "gate": gate,
        "receipts": receipts,
        "role": pool.of[0],
        "since": rfc3339(since),
        "state": state_of(pool, caught_min),
        "until": rfc3339(until),
    }


def _given(one: Statement, role: str, asked: datetime, ended: bool, warned: bool, probe: bool) -> Given:
    said = one.predicate
    return Given(said["person"], one.issuer, role, said["answer"], asked, one.made, ended, warned, probe)


def _figures(
    of: tuple[str, str, str], everything: Sequence[Given], waited: Sequence[Waited], under_s: int
) -> Figures:
    given = [one for one in everything if not one.probe]
    probes = [one for one in everything if one.probe]
    approved = [one for one in given if one.answer == APPROVE]
    warned = [one for one in given if one.warned]
    ordinary = [one for one in waited if not one.probe]
    vigilance = None
    if probes:
        caught, alarms = sum(one.answer != APPROVE for one in probes), len(given) - len(approved)
        vigilance = Vigilance(
            share(caught, len(probes)),
            share(alarms, len(given)),
            detection(caught, len(probes), alarms, len(given)),
        )
    return Figures(
        of=of,
        people=len({(one.member, one.person) for one in everything}),
        answers=tuple(sorted(Counter(one.answer for one in given).items())),
        seconds=middle([one.seconds for one in given]) if given else None,
        under_s=under_s,
        quick=share(sum(one.seconds < under_s for one in approved), len(approved)),
        overrides=share(sum(one.ended for one in given), len(given)),
        warned=share(sum(one.answer == APPROVE for one in warned), len(warned)),
        load=_load(given),
        busiest=_busiest([one.signed for one in given]),
        queue=_queue(ordinary),
        streak=_streak([one.answer for one in sorted(given, key=lambda one: one.signed)]),
        unanswered=sum(one.event == "expired" for one in ordinary),
        vigilance=vigilance,
    )


def _load(given: Sequence[Given]) -> Range | None:
    """Answers an hour, from the first that was asked to the last that was signed; at least an hour."""
    if not given:
        return None
    span_s = (max(one.signed for one in given) - min(one.asked for one in given)).total_seconds()
    return rate(len(given), max(span_s / HOUR_S, 1.0))


def _busiest(moments: Iterable[datetime]) -> int:
    """The most moments within one hour."""
    times = sorted(one.timestamp() for one in moments)
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= HOUR_S:
            first += 1
        most = max(most, last - first + 1)
    return most


def _queue(waited: Iterable[Waited]) -> int:
    """The most holds that waited at one moment."""
    # At one moment those that end go first.
    steps = sorted(step for one in waited for step in ((one.asked, 1), (one.ended, -1)))
    waiting, most = 0, 0
    for _, step in steps:
        waiting += step
        most = max(most, waiting)
    return most


def _streak(answers: Iterable[str]) -> int:
    """The longest run of approvals."""
    run, most = 0, 0
    for answer in answers:
        run = run + 1 if answer == APPROVE else 0
        most = max(most, run)
    return most
