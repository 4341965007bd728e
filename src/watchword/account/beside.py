"""What stands beside a statement: replies of those whom it is about, and the confidentiality labels it was given.

Neither counts for anything in a decision. A reply is shown only when it is by somebody whom the statement concerns: the
supplier of the release it is about, the supplier or the issuer whom a notice names, the owner of a key. Anybody else
has statements of his own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from watchword.charter.charter import Charter
from watchword.ledger.notices import said_name
from watchword.statements.kinds import NOTICES
from watchword.statements.statement import Statement


@dataclass(frozen=True)
class Beside:
    """In the order in which they were made."""

    replies: tuple[Statement, ...] = ()
    markings: tuple[Statement, ...] = ()

    def lines(self) -> list[tuple[str, str]]:
        """What to show, as (heading, text); text of others, not yet made inert."""
        marked = [("marked", f"{label(one.predicate)}, by {one.issuer}") for one in self.markings]
        return marked + [
            (f"reply of {one.issuer}", f"{one.predicate['text']} ({one.predicate['made']})") for one in self.replies
        ]

    def value(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "markings": [{"id": one.id, "predicate": one.predicate} for one in self.markings],
            "replies": [{"id": one.id, "predicate": one.predicate} for one in self.replies],
        }


NOTHING_BESIDE = Beside()


def beside(charter: Charter, held: Iterable[Statement]) -> dict[str, Beside]:
    """What stands beside each statement that has something beside it, by its id.

    Args:
        held: every statement with standing that is held; nothing else is looked at.
    """
    by_id = {one.id: one for one in held}
    suppliers: dict[str, set[str]] = {}
    for one in by_id.values():
        if one.kind == "claim":
            for subject in one.subject:
                suppliers.setdefault(subject.digest, set()).add(one.issuer)
    found: dict[str, tuple[list[Statement], list[Statement]]] = {}
    for one in sorted(by_id.values(), key=lambda one: (str(one.predicate["made"]), one.id)):
        target = by_id.get(one.predicate["statement"]) if one.kind in ("reply", "marking") else None
        if target is None:
            continue
        replies, markings = found.setdefault(target.id, ([], []))
        if one.kind == "marking":
            markings.append(one)
        elif one.issuer in concerned(charter, target, by_id, suppliers):
            replies.append(one)
    return {id: Beside(tuple(replies), tuple(markings)) for id, (replies, markings) in found.items()}


def concerned(
    charter: Charter, statement: Statement, by_id: Mapping[str, Statement], suppliers: Mapping[str, set[str]]
) -> set[str]:
    """Whom *statement* is about, by name.

    Args:
        by_id: statements held, where a notice against one names its issuer.
        suppliers: who claims a release, by the release's digest.
    """
    if statement.kind in ("reply", "marking"):
        target = by_id.get(statement.predicate["statement"])
        return set() if target is None else {target.issuer}
    if statement.kind not in NOTICES:
        whose = {name for subject in statement.subject for name in suppliers.get(subject.digest, ())}
        return whose | ({statement.predicate["supplier"]} if statement.kind == "endpoint" else set())
    space, _, thing = said_name(statement).partition(":")
    if space == "supplier":
        return {thing}
    if space == "release":
        return set(suppliers.get(thing, ()))
    if space == "statement" and thing in by_id:
        return {by_id[thing].issuer}
    if space == "key" and thing in charter.holders:
        return {charter.holders[thing].owner}
    return set()


def label(fields: Mapping[str, Any]) -> str:
    """A marking in one line: ``NATO SECRET; Releasable to: GBR, USA``."""
    parts = [f"{fields['policy']} {fields['classification']}"]
    if fields["privacy_mark"]:
        parts.append(fields["privacy_mark"])
    for one in fields["categories"]:
        but = "not " if one["type"] == "restrictive" else ""
        parts.append(f"{one['name']}: {but}{', '.join(one['values'])}")
    return "; ".join(parts)
