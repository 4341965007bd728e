"""What a statement or receipt says that it rests on: the links of a trace, as its own fields name them. Pure.

* A link names its target by sort and digest (or name), and where the target must be of some kind, by which.
* What is said is taken as it is said: whether the target is there, and is what it should be, is ``account.trace``'s.
* Objects inside statements (decisions, mandates) were signed by others and never checked as a whole: what is not of its
  form names nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watchword.gate.receipts import Receipt
from watchword.statements.digests import is_digest
from watchword.statements.kinds import CONSIDERED
from watchword.statements.statement import Statement

ANSWERS = frozenset({"permitted", "released", "approved", "passed", "refused"})
"""Receipts whose ``approvals`` are people's answers."""


@dataclass(frozen=True)
class Named:
    """One link: ``role``, the target's ``key`` (``<sort>:<name>``), the kinds that it may be (empty: any), and where
    it is said to stand (origin, index), if it is."""

    role: str
    key: str
    kinds: frozenset[str] = frozenset()
    place: tuple[str, int] | None = None


def statement_links(statement: Statement) -> Iterator[Named]:
    """What *statement* rests on, in the order in which people ask for it."""
    said = statement.predicate
    if statement.kind in _BY_FIELD:
        for field, role, sort, kinds in _BY_FIELD[statement.kind]:
            yield from _named(role, sort, said.get(field), kinds)
    elif statement.kind == "mandate":
        yield from _named("rests on admission", "statement", _part(said["mandate"], "decision"), "decision")
    elif statement.kind == "decision":
        yield from _decision(said["decision"])
    elif statement.kind == "data-screening":
        yield from _named("data delivered", "dataset", said["delivered"])
        yield from _named("data before it", "dataset", said["previous"])
    elif statement.kind == "claim":
        yield Named("made by", f"supplier:{statement.issuer}")
        for one in said.get("trained_on", ()):
            yield Named("trained on", f"dataset:{one['digest'] or one['name']}")
    elif statement.kind == "endpoint":
        yield Named("made by", f"supplier:{said['supplier']}")
    elif statement.kind == "bill-of-materials":
        yield from (Named("made from model", f"model:{one}") for one in said["base_models"])
        yield from (Named("made from data", f"dataset:{one['digest']}") for one in said["datasets"])
    elif statement.kind in ("retract", "dispute", "recall", "incident"):
        sort, _, rest = said["target"].partition(":")
        if sort in ("statement", "release", "dataset", "model", "supplier") and rest:
            yield Named("against", said["target"])
        if said.get("supersedes"):
            yield Named("supersedes", f"statement:{said['supersedes']}", frozenset({statement.kind}))
        if statement.kind == "incident":
            # Hidden fields are missing: a redacted incident names fewer.
            yield from (Named("acted", f"action:{one['action']}") for one in said.get("actions", ()))
            yield from (Named("found", f"statement:{one['statement']}") for one in said.get("findings", ()))
            yield from (Named("technique", f"technique:{one}") for one in said["techniques"])


def receipt_links(receipt: Receipt) -> Iterator[Named]:
    """What a gate's *receipt* names."""
    kinds = frozenset({"approval"}) if receipt.event in ANSWERS else frozenset()
    yield from (Named("answer", f"statement:{id}", kinds) for id in receipt.approvals)
    if receipt.mandate is not None:
        yield Named("under mandate", f"statement:{receipt.mandate}", frozenset({"mandate"}))
    elif receipt.decision is not None:
        yield Named("rests on admission", f"statement:{receipt.decision}", frozenset({"decision"}))


_BY_FIELD: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "approval": (("mandate", "under mandate", "statement", "mandate"),),
    "probe-plan": (("mandate", "under mandate", "statement", "mandate"),),
    "evaluation": (("plan", "planned in", "statement", "plan"), ("data", "measured on", "dataset", "")),
    "opinion": (("statement", "ran again", "statement", "evaluation"),),
    "reliance": (("statement", "relies on", "statement", ""),),
    "reply": (("statement", "replies to", "statement", ""),),
    "marking": (("statement", "marks", "statement", ""),),
    "take-back": (("notice", "takes back", "statement", ""),),
    "lift": (("notice", "lifts", "statement", "caveat"),),
}
"""Of kinds that name others in plain fields: field, role, sort and kind of the target."""


def _decision(made: Any) -> Iterator[Named]:
    """The evidence that a decision considered, what was kept from it, the bad news that it listed, its release."""
    considered = [(_place(one), one.get("id")) for one in _objects(made, "considered")]
    for place, id in sorted(considered, key=lambda one: one[0] or ("", 0)):
        for named in _named("considered", "statement", id):
            yield Named(named.role, named.key, CONSIDERED, place)
    for one in _objects(made, "unheld"):
        place = _place(one)
        if place is not None:
            yield Named("kept back", f"leaf:{place[0]}#{place[1]}", place=place)
    for one in _objects(made, "notices"):
        yield from _named("bad news", "statement", one.get("statement"))
    yield from _named("about", "release", _part(_part(made, "subject"), "digest"))
    yield from _named("under charter", "charter", _part(made, "charter"))


def _named(role: str, sort: str, digest: Any, kind: str = "") -> Iterator[Named]:
    if is_digest(digest):
        yield Named(role, f"{sort}:{digest}", frozenset({kind}) if kind else frozenset())


def _place(value: Mapping[str, Any]) -> tuple[str, int] | None:
    origin, index = value.get("origin"), value.get("index")
    return (origin, index) if isinstance(origin, str) and isinstance(index, int) and index >= 0 else None


def _objects(value: Any, field: str) -> list[Mapping[str, Any]]:
    found = _part(value, field)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _part(value: Any, field: str) -> Any:
    return value.get(field) if isinstance(value, dict) else None
