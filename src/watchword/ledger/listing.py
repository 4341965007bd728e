"""What is known of a release in a view: the evidence considered, the bad news, and which of it still counts.

Follows docs/protocol.md, section 8, steps 1 to 4. Pure.

* Bad news counts from any channel as soon as it is signed; what takes it away counts only when proven in the view.
* It is taken back by ``quorum.witness`` operators, of whom at least one is honest. By fewer, never.
* What no more than ``quorum.faulty`` operators say lapses after 72 hours, once every notices ledger is known to have
  been silent until then. The same operator cannot say it again at once, or one member could stop a system for ever.
* A supplier's word, a retraction and a revocation do not lapse: they are about what is their issuer's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watchword.charter.charter import Charter
from watchword.charter.standing import may_retract, may_revoke
from watchword.ledger.notices import evidence_name, said_name, says_rightly
from watchword.ledger.query import reaches
from watchword.ledger.view import Fact, Facts, NoticeLeaf, View, size_in
from watchword.limits import NOTICE_LANE_EVERY_S, NOTICE_LANE_S
from watchword.statements.digests import D, blinded
from watchword.statements.kinds import ANY_CHANNEL, BAD_NEWS, CONSIDERED, KINDS, NOTICES
from watchword.statements.statement import Signed, Subject
from watchword.statements.times import parse_time

COUNTS = BAD_NEWS | {"unheld"}
"""Kinds of a listed notice that count against its name; the others are listed and do not."""

TAKEN_BACK = frozenset({"recall", "dispute", "incident"})
"""Kinds of a listed notice that enough operators take back."""


@dataclass(frozen=True)
class Listed:
    """A notice against one name of the name set.

    ``kind``: ``recall``, ``retract``, ``dispute``, ``revoke``; ``unheld`` where the body is not held, or is of a kind
    that is not known here; ``no-standing`` where it may not say this; ``not-reached`` where a recall means other
    versions; ``half-said``, ``taken-back``, ``lapsed``, ``lifted``; ``incident``, ``caveat``, ``take-back``, ``lift``.
    ``origin`` and ``index`` are None for a loose notice. ``signed`` is None where there is no statement that can be
    read. ``commitment`` is its leaf's, 32 bytes.
    """

    name: str
    kind: str
    origin: str | None
    index: int | None
    signed: Signed | None
    commitment: bytes = b""

    def value(self) -> dict[str, Any]:
        """The notice as a decision lists it."""
        statement = None if self.signed is None else self.signed.statement.id
        return {
            "index": self.index, "kind": self.kind, "name": self.name, "origin": self.origin, "statement": statement,
        }  # fmt: skip


@dataclass(frozen=True)
class Unheld:
    """A statement about a release that is known by its leaf alone: its kind, not what it says. Counts as the worst.

    ``state``: ``unheld``, or ``taken-back`` where enough operators say that it does not count.
    """

    kind: str
    origin: str
    index: int
    commitment: bytes
    state: str

    @property
    def id(self) -> str:
        """What stands for its statement id, which nobody here knows."""
        return f"leaf:sha256:{self.commitment.hex()}"

    def value(self) -> dict[str, Any]:
        """The same as a decision lists it."""
        return {
            "index": self.index, "kind": self.kind, "leaf": f"sha256:{self.commitment.hex()}", "origin": self.origin,
            "state": self.state,
        }  # fmt: skip


def consider(charter: Charter, view: View, facts: Facts, moment: datetime, release: str) -> dict[str, Fact]:
    """Step 1: the evidence about *release* that counts, by statement id; each where it stands first."""
    found: dict[str, Fact] = {}
    for fact in sorted(facts.first_about.get(release, ()), key=lambda fact: (fact.origin, fact.index)):
        statement = fact.signed.statement
        if (
            statement.kind in CONSIDERED
            and stands_in(charter, view, "ledger", fact.origin, fact.index)
            and statement.made <= moment
        ):
            found.setdefault(statement.id, fact)
    return found


def notices(charter: Charter, view: View, facts: Facts, names: Iterable[str], held: Mapping[str, Fact]) -> list[Listed]:
    """Step 2: every notice against one of *names*, in the view or loose, and whether it still counts.

    Args:
        held: statements by id, at least those that *names* name: a retraction has standing only by its target's issuer.
    """
    names = tuple(names)
    listed = [
        replace(one, kind="not-reached")
        if one.kind == "recall" and one.signed is not None and not reaches(one.signed.statement.predicate, names)
        else one
        for one in _matching(charter, view, facts, names, held)
    ]
    revoked = {one.name for one in listed if one.kind == "revoke"}
    half = {name for name in revoked if _is_half_said(charter, name, listed)}
    listed = [replace(one, kind="half-said") if one.kind == "revoke" and one.name in half else one for one in listed]
    back = _good_back(charter, view, facts, listed)
    gone = _taken_back(charter, back)
    listed = [replace(one, kind="taken-back") if (one.name, _called(one)) in gone else one for one in listed]
    lifted = {_what(fact) for fact in back if fact.signed.statement.kind == "lift"}
    listed = [
        replace(one, kind="lifted")
        if one.kind == "caveat" and one.signed is not None and (one.name, one.signed.statement.id) in lifted
        else one
        for one in listed
    ]
    groups: dict[tuple[str, str], list[Listed]] = {}
    for one in listed:
        if one.kind in ("recall", "dispute"):
            groups.setdefault((one.name, one.kind), []).append(one)
    lapsed = {id(one) for group in groups.values() for one in _lapsed(charter, view, group)}
    return sorted((replace(one, kind="lapsed") if id(one) in lapsed else one for one in listed), key=_place)


def unheld(charter: Charter, view: View, facts: Facts, release: str, listed: list[Listed]) -> list[Unheld]:
    """Step 4: what is known to be said of *release* by its leaf alone, in order of (origin, index).

    Args:
        listed: the notices against the name set of *release*; take-backs among them may count.
    """
    kinds = {blinded(facts.secret, evidence_name(kind, release)): kind for kind in CONSIDERED}
    here = [
        leaf
        for leaf in facts.unheld
        if leaf.blinded in kinds and stands_in(charter, view, "ledger", leaf.origin, leaf.index)
    ]
    if not here:
        return []
    gone = _taken_back(charter, _good_back(charter, view, facts, listed))
    return [
        Unheld(
            kinds[leaf.blinded], leaf.origin, leaf.index, leaf.commitment,
            "taken-back" if (f"release:{release}", f"sha256:{leaf.commitment.hex()}") in gone else "unheld",
        )
        for leaf in here
    ]  # fmt: skip


def fallen(statements: Iterable[Fact], listed: Iterable[Listed]) -> dict[str, str]:
    """Step 3: the ids of the *statements* that notices fell, each with the first reason that applies."""
    against: dict[str, list[Listed]] = {}
    for notice in listed:
        against.setdefault(notice.name, []).append(notice)
    fell: dict[str, str] = {}
    for fact in statements:
        id = fact.signed.statement.id
        of_statement = against.get(f"statement:{id}", [])
        of_key = against.get(f"key:{fact.signed.key_id}", [])
        kinds = {notice.kind for notice in of_statement}
        if "retract" in kinds:
            fell[id] = "retracted"
        elif "dispute" in kinds:
            fell[id] = "disputed"
        elif any(notice.kind == "unheld" for notice in (*of_statement, *of_key)):
            fell[id] = "unheld"
        elif any(notice.kind == "revoke" and not _spares(notice, fact) for notice in of_key):
            fell[id] = "key revoked"
        elif not fact.holder.reaches(fact.origin, fact.index):
            fell[id] = "key retired"
    return fell


def lane_ends(listed: Iterable[Listed], charter: Charter) -> list[tuple[Listed, int]]:
    """When the fast lane of each of these notices (of one kind and name) ends, in seconds since 1970."""
    begins: dict[tuple[str, str], int] = {}
    ends: list[tuple[Listed, int]] = []
    every: dict[str, list[int]] = {}
    for one in sorted(listed, key=lambda one: (one.origin is None, one.origin or "", one.index or 0)):
        if one.signed is None:
            continue
        made_s = int(one.signed.statement.made.timestamp())
        operator = charter.holders[one.signed.key_id].operator
        if one.origin is None:
            sooner = [s for s in sorted(every.get(operator, ())) if s <= made_s < s + NOTICE_LANE_EVERY_S]
            begin = sooner[0] if sooner else made_s
        else:
            begin = begins.get((operator, one.origin), made_s)
            if not begin <= made_s < begin + NOTICE_LANE_EVERY_S:
                begin = made_s
            begins[operator, one.origin] = begin
            every.setdefault(operator, []).append(begin)
        ends.append((one, begin + NOTICE_LANE_S))
    return ends


def stands_in(charter: Charter, view: View, use: str, origin: str, index: int) -> bool:
    """Whether a leaf is in *view*, in a ledger of that use."""
    of = charter.origins.get(origin)
    return of is not None and of.use == use and 0 <= index < size_in(charter, view, origin)


def _matching(
    charter: Charter, view: View, facts: Facts, names: Iterable[str], held: Mapping[str, Fact]
) -> list[Listed]:
    leaves: dict[bytes, list[NoticeLeaf]] = {}
    for leaf in facts.notices:
        if stands_in(charter, view, "notices", leaf.origin, leaf.index):
            leaves.setdefault(leaf.blinded, []).append(leaf)
    loose: dict[str, dict[str, Signed]] = {}
    for signed in facts.loose:
        target = said_name(signed.statement) if signed.statement.kind in ANY_CHANNEL else ""
        if target and _has_standing(charter, signed, target, held):
            loose.setdefault(target, {})[signed.statement.id] = signed
    listed: list[Listed] = []
    for name in names:
        # (a)
        here = leaves.get(blinded(facts.secret, name), ()) if leaves else ()
        in_view = [
            Listed(
                name, _leaf_kind(charter, leaf, name, held), leaf.origin, leaf.index,
                None if leaf.signed is None or _is_unread(leaf.signed) else leaf.signed, leaf.commitment,
            )
            for leaf in here
        ]
        # (b)
        # A leaf whose body lacks standing must not hide the same notice received directly, with a good signature.
        seen = {one.signed.statement.id for one in in_view if one.signed is not None and one.kind in NOTICES}
        rest = (signed for id, signed in loose.get(name, {}).items() if id not in seen)
        listed += [*in_view, *(Listed(name, signed.statement.kind, None, None, signed) for signed in rest)]
    return listed


def _is_half_said(charter: Charter, name: str, listed: list[Listed]) -> bool:
    """Whether fewer root keys revoke the key of *name* than its owner asks for."""
    signers = {one.signed.key_id for one in listed if one.signed and (one.name, one.kind) == (name, "revoke")}
    return len(signers) < charter.root_threshold(charter.holders[name.removeprefix("key:")].owner)


def _called(one: Listed) -> str:
    """What a take-back calls this notice by; nothing for what cannot be taken back."""
    if one.kind == "unheld":
        return f"sha256:{one.commitment.hex()}"
    return one.signed.statement.id if one.signed is not None and one.kind in TAKEN_BACK else ""


def _good_back(charter: Charter, view: View, facts: Facts, listed: list[Listed]) -> list[Fact]:
    """The take-backs and lifts of the view that have not fallen themselves."""
    at = [
        Fact(one.signed, charter.holders[one.signed.key_id], one.origin, one.index or 0)
        for one in listed
        if one.kind in ("take-back", "lift") and one.signed is not None and one.origin is not None
    ]
    ids = {fact.signed.statement.id: fact for fact in at}
    names = {f"statement:{id}" for id in ids} | {f"key:{fact.signed.key_id}" for fact in at}
    fell = fallen(at, _matching(charter, view, facts, sorted(names), ids))
    return [fact for fact in at if fact.signed.statement.id not in fell]


def _what(back: Fact) -> tuple[str, str]:
    """The name and the notice that a take-back or lift is about."""
    said = back.signed.statement.predicate
    return said["target"], said["notice"]


def _taken_back(charter: Charter, back: Iterable[Fact]) -> set[tuple[str, str]]:
    """Name and notice of all that enough operators took back."""
    operators: dict[tuple[str, str], set[str]] = {}
    for fact in back:
        if fact.signed.statement.kind == "take-back":
            operators.setdefault(_what(fact), set()).add(fact.holder.operator)
    return {what for what, who in operators.items() if len(who) >= charter.quorum.witness}


def _lapsed(charter: Charter, view: View, group: list[Listed]) -> list[Listed]:
    """Those of a group of one kind and name that nobody else confirmed within their fast lane."""
    holders = [charter.holders[one.signed.key_id] for one in group if one.signed is not None]
    many = len({holder.operator for holder in holders}) > charter.quorum.faulty
    origins = [member.origins["notices"] for member in charter.members]
    if many or any(holder.is_supplier for holder in holders) or any(origin not in view.heads for origin in origins):
        return []
    heard_s = min(int(parse_time(view.heads[origin].time).timestamp()) for origin in origins)
    return [one for one, end_s in lane_ends(group, charter) if end_s <= heard_s]


def _leaf_kind(charter: Charter, leaf: NoticeLeaf, name: str, held: Mapping[str, Fact]) -> str:
    if leaf.signed is None or _is_unread(leaf.signed):
        return "no-standing" if leaf.is_junk else "unheld"
    reaches = leaf.holder is not None and leaf.holder.reaches(leaf.origin, leaf.index)
    if leaf.holder is None or not reaches or not _has_standing(charter, leaf.signed, name, held):
        return "no-standing"
    return leaf.signed.statement.kind


def _is_unread(notice: Signed) -> bool:
    """Whether it is of a kind that is not known here: it may be bad news, and counts as if it were not held."""
    return notice.statement.kind not in KINDS


def _has_standing(charter: Charter, notice: Signed, name: str, held: Mapping[str, Fact]) -> bool:
    """Whether *notice*, by a key that may make its kind, may say this of *name*."""
    statement = notice.statement
    if statement.kind not in NOTICES or said_name(statement) != name:
        return False
    if statement.kind != "ratification" and statement.subject != (Subject("notice", D(name.encode())),):
        return False
    if not says_rightly(statement):
        return False
    sort, _, rest = name.partition(":")
    if statement.kind == "retract":
        return sort == "statement" and rest in held and may_retract(notice, held[rest].signed)
    if statement.kind == "revoke":
        return sort == "key" and may_revoke(charter, notice, rest)
    return statement.kind != "take-back" or not charter.holders[notice.key_id].is_supplier


def _place(notice: Listed) -> tuple[str, str, int, str]:
    statement = "" if notice.signed is None else notice.signed.statement.id
    return notice.name, notice.origin or "", notice.index or 0, statement


def _spares(revocation: Listed, fact: Fact) -> bool:
    """Whether *revocation* leaves *fact* standing: it lists the ledger with a size past the statement's index."""
    listed = revocation.signed.statement.predicate["valid_up_to"] if revocation.signed is not None else []
    return any(one["origin"] == fact.origin and one["size"] > fact.index for one in listed)
