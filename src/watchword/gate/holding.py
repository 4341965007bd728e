"""A held action as its approvers are asked about it, and which of their answers count now.

Follows docs/protocol.md, section 9 ("An approval counts when"). What a hold asks for comes from its mandate as it is
held now; who has approved, from the approvals that its receipts name, each judged again at every look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.errors import WatchwordError
from watchword.gate.action import Action
from watchword.gate.answer import Answer, Hold
from watchword.gate.approval import DoesNotCount, check_approval
from watchword.gate.authority import Known
from watchword.gate.history import WAITING, Held, History
from watchword.gate.mandate import Rule
from watchword.gate.request import ENDING, Request
from watchword.ledger.view import Fact
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time, rfc3339


class NoSuchHold(WatchwordError):
    """A hold that this gate does not know, or that no longer waits."""


@dataclass(frozen=True)
class Given:
    """The approvals of a hold that count now, one per operator, and why others that were taken do not."""

    facts: tuple[Fact, ...]
    fallen: tuple[str, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """``PERSON of MEMBER``, in the order they signed."""
        return tuple(f"{one.holder.person} of {one.holder.owner}" for one in self.facts)


@dataclass(frozen=True)
class Followed:
    """What became of a hold. ``given`` of the ``needed`` operators have approved as of now, where it still waits."""

    hold: str
    action: Action
    state: str
    expires: str | None
    given: int
    needed: int


def waiting_hold(history: History, hold: str, gate: str) -> Held:
    """The hold of this id, which waits.

    Raises:
        NoSuchHold: there is none, or it waits no more.
    """
    held = history.holds.get(hold)
    if held is None:
        raise NoSuchHold(f"{hold[:80]!r}: no such hold at the gate of {gate}")
    if held.state != WAITING:
        raise NoSuchHold(f"hold {hold} waits no more: it was {held.state}")
    return held


def request_of(known: Known, held: Held, gate: str) -> Request | None:
    """What an approver of *held* is shown; None while its mandate is not held."""
    mandate = known.ground(held.mandate).mandate
    rule = None if mandate is None else next((rule for rule in mandate.rules if rule.id == held.rule), None)
    if mandate is None or rule is None or rule.people is None:
        return None
    expires = rfc3339(parse_time(held.asked) + timedelta(seconds=rule.hold_s))
    return Request(
        held.action, gate, held.id, held.mandate, mandate.name, rule.id, rule.people, held.asked, expires, held.unclean,
        held.origins,
    )  # fmt: skip


def requested(known: Known, held: Held, gate: str) -> Request:
    """The same, where it must be there.

    Raises:
        NoSuchHold: its mandate is not held any more.
    """
    request = request_of(known, held, gate)
    if request is None:
        raise NoSuchHold(f"hold {held.id}: its mandate is not held here any more")
    return request


def answers_of(held: Held, found: Callable[[str], Signed]) -> tuple[str, ...]:
    """``PERSON of MEMBER: ANSWER`` for each answer to *held* that was taken in; what is not held is said to be so."""
    said = []
    for id in (*held.approvals, *held.passed):
        try:
            statement = found(id).statement
        except WatchwordError as error:
            said.append(error.message)
        else:
            said.append(f"{statement.predicate['person']} of {statement.issuer}: {statement.predicate['answer']}")
    return tuple(said)


def rule_of(known: Known, held: Held) -> Rule:
    """The rule that *held* is held by, as its mandate states it.

    Raises:
        NoSuchHold: the mandate has none of this name.
    """
    mandate = known.ground(held.mandate).mandate
    for rule in () if mandate is None else mandate.rules:
        if rule.id == held.rule:
            return rule
    raise NoSuchHold(f"hold {held.id}: its mandate has no rule {held.rule}")


def check_second(held: Held, signed: Signed, found: Callable[[str], Signed]) -> None:
    """Check that *signed* may follow what was answered to *held* before.

    Raises:
        DoesNotCount: its person left it to others; or the same device gave this answer before, in another wrapping.
    """
    said, issuer = signed.statement.predicate, signed.statement.issuer
    for id in (*held.passed, *held.approvals):
        before = found(id).statement
        if (before.issuer, before.predicate["person"]) != (issuer, said["person"]):
            continue
        who = f"{said['person']} of {issuer}"
        if id in held.passed and said["answer"] == "approve":
            raise DoesNotCount(f"approval by {who}: left this hold to others ({before.predicate['answer']})")
        if said["assertion"] is not None and before.predicate["answer"] == said["answer"]:
            raise DoesNotCount(f"approval by {who}: was given before, and one device answers once")


def answered(signed: Signed, request: Request, who: str, there: int) -> tuple[str, str]:
    """The event that an answer is, and its reason; *there*: operators who approve, with it if it does."""
    answer = signed.statement.predicate["answer"]
    if answer in ENDING:
        return "refused", f"refused by {who}" + ("" if answer == "refuse" else f": {answer}")
    if answer != "approve":
        return "passed", f"left to others by {who}: {answer}"
    text = f"{there} of {request.needs.count} operators have approved; last {who}"
    return "approved", text + ("; it can be released" if there >= request.needs.count else "")


def approvals(
    known: Known,
    held: Held,
    request: Request,
    rule: Rule,
    now: datetime,
    bad_news: Iterable[Signed],
    found: Callable[[str], Signed],
) -> Given:
    """The approvals of *held* that count at *now*.

    Args:
        found: the statement of an id; raises where it is not held.
    """
    given: dict[str, Fact] = {}
    fallen: list[str] = []
    for id in held.approvals:
        try:
            fact = check_approval(known, request, rule, found(id), now, bad_news)
        except WatchwordError as error:
            fallen.append(error.message)
        else:
            given.setdefault(fact.holder.operator, fact)
    return Given(tuple(given.values()), tuple(fallen))


def shown_hold(held: Held, request: Request, given: Given) -> Hold:
    """A hold for people, with who has approved it."""
    needs = request.needs
    return Hold(
        held.id, held.action, held.mandate, request.mandate_name, held.rule, held.asked, request.expires, needs.count,
        needs.role, given.by,
    )  # fmt: skip


def still_held(gate: str, held: Held, request: Request | None, reasons: tuple[str, ...]) -> Answer:
    """The answer for what waits and goes on waiting; nothing is recorded for it."""
    return Answer(
        "held", gate, reasons, held.action, held.id, held.mandate, held.rule, held.asked,
        None if request is None else request.expires, held.index,
    )  # fmt: skip
