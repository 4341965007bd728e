"""Receipts: what a gate recorded before it let anything happen, and whether a proof's receipts hold.

Follows docs/protocol.md, section 9 ("Receipt") and section 10, step 9. Pure.

* ``permitted`` and ``released`` let an action go. ``approved``, ``passed`` and ``refused`` name the one answer they are
  about, ``released`` those that it uses.
* A record is private and its leaves unsigned: what makes it evidence is that its owner stood for its size and root in a
  shared ledger (``record-head``), so that nothing in it can be changed or cut away afterwards.
* Not re-made here: a gate's quotas and hours, and whether its view was fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.charter.charter import Charter
from watchword.charter.standing import NoStanding, by_device
from watchword.errors import WatchwordError
from watchword.gate.action import Action
from watchword.gate.answer import clean_reason
from watchword.gate.mandate import Rule
from watchword.ledger.merkle import leaf_hash, root_of
from watchword.ledger.proof import NotProven
from watchword.ledger.proof import Receipt as PlacedReceipt
from watchword.ledger.view import Fact
from watchword.statements.canonical import canonical
from watchword.statements.digests import D, is_digest, unb64
from watchword.statements.kinds import Digest, Text, Time
from watchword.statements.times import parse_time, rfc3339

LETTING_GO = frozenset({"permitted", "released"})
"""Events after which an action may have happened."""

REASONS_MAX = 32
"""Reasons in one receipt. Origin: a fifth of it is more than a person reads."""

ORIGIN = "(origin) "
"""How a reason of a held action begins that says where one value comes from. No name of an argument begins so."""


class BadReceipt(WatchwordError):
    """A receipt that is not of the form section 9 states."""


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event of a gate. ``body`` is the action object whose digest is ``action``; ``seen``, of ``held`` alone, what
    the door knew of it besides (``restrictions.seen_of``)."""

    action: Digest | None
    approvals: Annotated[list[Digest], Meta(max_length=64)]
    body: dict[str, Any] | None
    decision: Digest | None
    event: Literal[
        "permitted",
        "denied",
        "held",
        "approved",
        "passed",
        "refused",
        "released",
        "expired",
        "returned",
        "unknown",
        "stopped",
        "exercised",
        "endorsed",
        "scheduled",
        "revealed",
        "shadow",
    ]
    format: Literal["watchword-receipt/1"]
    gate: Text
    hold: Text | None
    mandate: Digest | None
    reasons: Annotated[list[Text], Meta(max_length=64)]
    rule: Text | None
    seen: dict[str, Any] | None
    time: Time

    @property
    def unclean(self) -> tuple[str, ...]:
        """Of a held action: which values have no clean origin, and why."""
        return tuple(one for one in self.reasons[1:] if not one.startswith(ORIGIN))

    def value(self) -> dict[str, Any]:
        """The receipt as the JSON object that is recorded."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def receipt_value(
    event: str,
    gate: str,
    now: datetime,
    reasons: Sequence[str],
    action: Action | None,
    hold: str | None,
    mandate: str | None,
    rule: str | None,
    decision: str | None,
    approvals: Sequence[str],
    seen: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A receipt as the JSON object that is recorded. What was asked for as a mandate and names none is left out."""
    return {
        "action": None if action is None else action.digest,
        "approvals": list(approvals),
        "body": None if action is None else action.value,
        "decision": decision,
        "event": event,
        "format": "watchword-receipt/1",
        "gate": gate,
        "hold": hold,
        "mandate": mandate if is_digest(mandate) else None,
        "reasons": [clean_reason(reason) for reason in reasons[:REASONS_MAX]],
        "rule": rule,
        "seen": None if seen is None else dict(seen),
        "time": rfc3339(now),
    }


def parse_receipt(value: Any, where: str, *, own: bool = False) -> Receipt:
    """Check a receipt object; *where* names it in an error.

    Args:
        own: the caller has the action that it shows, and looks after its digest.

    Raises:
        BadReceipt: a field missing, unknown or of another type; a body whose digest is not ``action``.
    """
    if not isinstance(value, dict) or "format" not in value:
        raise BadReceipt(f"{where}: not a receipt")
    try:
        receipt = msgspec.convert(value, Receipt, strict=True)
        parse_time(receipt.time)
    except (msgspec.ValidationError, WatchwordError) as error:
        raise BadReceipt(f"{where}: {error}") from error
    if receipt.body is not None and not own and D(canonical(receipt.body)) != receipt.action:
        raise BadReceipt(f"{where}: the action shown is not the one named")
    return receipt


@dataclass(frozen=True)
class Release:
    """An action that was let go, as its receipt proves it. ``approved_by`` lists ``PERSON of MEMBER``, sorted."""

    origin: str
    index: int
    receipt: Receipt
    approved_by: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """What step 9 found. ``anchored``: how many receipts of each record its owner stood for in the shared ledger."""

    releases: tuple[Release, ...]
    anchored: Mapping[str, int]


def check_receipts(
    charter: Charter,
    statements: Iterable[Fact],
    receipts: Sequence[PlacedReceipt],
    records: Mapping[str, Sequence[bytes]],
) -> Checked:
    """Judge the receipts of a proof (section 10, step 9).

    Args:
        statements: those with standing that the proof shows, each at its place.
        receipts: in order of (origin, index).
        records: for each record in the proof, all its entries.

    Raises:
        NotProven: of step 9; names the receipt, the approval or the record.
    """
    known: dict[str, Fact] = {}
    for fact in statements:
        known.setdefault(fact.signed.statement.id, fact)
    used: dict[str, str] = {}
    releases: list[Release] = []
    for placed in receipts:
        place = f"{placed.origin}#{placed.index}"
        try:
            receipt = parse_receipt(placed.value, f"receipt {place}")
        except BadReceipt as error:
            raise NotProven(9, error.message) from error
        if receipt.event not in LETTING_GO:
            continue
        for id in receipt.approvals:
            if id in used:
                raise NotProven(9, f"receipt {place}: approval {id} was used before, by {used[id]}")
            used[id] = place
        approved_by = _approved_by(charter, receipt, f"receipt {place}", known)
        releases.append(Release(placed.origin, placed.index, receipt, approved_by))
    anchored = {
        origin: _anchored(charter, origin, entries, known.values()) for origin, entries in records.items() if entries
    }
    return Checked(tuple(releases), anchored)


def _approved_by(charter: Charter, receipt: Receipt, where: str, known: Mapping[str, Fact]) -> tuple[str, ...]:
    """Who approved a release, when its mandate's rule is met: distinct operators, over exactly these bytes."""
    mandate = known.get(receipt.mandate or "")
    if mandate is None or mandate.signed.statement.kind != "mandate":
        raise NotProven(9, f"{where}: its mandate {receipt.mandate} is not in the bundle")
    rule = _rule(mandate.signed.statement.predicate["mandate"], receipt.rule)
    if rule is None:
        raise NotProven(9, f"{where}: its mandate has no rule {receipt.rule}")
    people: dict[str, str] = {}
    for id in receipt.approvals:
        fact = known.get(id)
        if fact is None or fact.signed.statement.kind != "approval":
            raise NotProven(9, f"{where}: approval {id} is not in the bundle")
        approval = fact.signed.statement.predicate
        who = f"{approval['person']} of {fact.holder.owner}"
        if approval["assertion"] is not None and fact.holder.job == "gate":
            try:
                fact = replace(fact, holder=by_device(charter, fact.signed, fact.holder, in_ledger=True))
            except NoStanding as error:
                raise NotProven(9, f"{where}: {error.message}") from error
        wrong = wrong_with_approval(fact, receipt, rule)
        if wrong:
            raise NotProven(9, f"{where}: approval by {who} {wrong}")
        people[fact.holder.operator] = who
    needs = rule.approvals if receipt.event == "permitted" else rule.people
    if needs is None or len(people) < needs.count:
        asks = "names nobody to ask" if needs is None else f"asks for {needs.count}"
        raise NotProven(9, f"{where}: approved by {len(people)} operators, rule {rule.id} {asks}")
    return tuple(sorted(people.values()))


def wrong_with_approval(fact: Fact, receipt: Receipt, rule: Rule) -> str | None:
    """Why the approval *fact* does not count for the release *receipt* under *rule*; None when it does."""
    statement = fact.signed.statement
    approval = statement.predicate
    if [subject.digest for subject in statement.subject] != [receipt.action]:
        return "is for another action"
    if (approval["gate"], approval["hold"], approval["mandate"]) != (receipt.gate, receipt.hold, receipt.mandate):
        return "is for another gate, hold or mandate"
    if approval["answer"] != "approve":
        return "refuses"
    if approval["person"] != fact.holder.person:
        return f"is signed with the key of {fact.holder.person}"
    if rule.people is None or rule.people.role not in fact.holder.roles:
        return f"is not by a {'person' if rule.people is None else rule.people.role}"
    if parse_time(receipt.time) > parse_time(approval["expires"]):
        return f"expired {approval['expires']}"
    return None


def _rule(mandate: Any, id: str | None) -> Rule | None:
    rules = mandate.get("rules") if isinstance(mandate, dict) else None
    for value in rules if isinstance(rules, list) else []:
        if isinstance(value, dict) and value.get("id") == id:
            try:
                return msgspec.convert(value, Rule, strict=True)
            except msgspec.ValidationError:
                return None
    return None


def _anchored(charter: Charter, origin: str, entries: Sequence[bytes], statements: Iterable[Fact]) -> int:
    """How many receipts of a record its owner stood for; every one of its anchors must fit the entries."""
    owner = charter.origins[origin].member.name
    hashes, anchored = [leaf_hash(entry) for entry in entries], 0
    for fact in statements:
        statement = fact.signed.statement
        if statement.kind != "record-head" or statement.issuer != owner or statement.predicate["origin"] != origin:
            continue
        size, root = statement.predicate["size"], unb64(statement.predicate["root"], "root of a record-head")
        if size > len(hashes):
            raise NotProven(9, f"{origin}: {statement.id} anchors {size} receipts, {len(hashes)} are here")
        if root_of(hashes[:size]) != root:
            raise NotProven(9, f"{origin}: not the receipts that {statement.id} anchors")
        anchored = max(anchored, size)
    if not anchored:
        raise NotProven(9, f"{origin}: no record-head in a shared ledger anchors it")
    return anchored
