"""What a member relies on, and what of it has fallen. Pure.

A ``reliance`` takes over another's statement within limits. It is in trouble when that statement falls (retracted,
disputed, hit by a notice that nobody here can read, its key revoked), when it is not held, or when its limits are past.
Whether a decision counts the evidence is ``policy.table``'s; here the member is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchword.charter.charter import Charter
from watchword.ledger import listing
from watchword.ledger.view import Fact, Facts, View
from watchword.statements.times import parse_time


@dataclass(frozen=True)
class Relied:
    """A reliance and the statement relied on (the reliance itself, where that is not held). ``why``: empty, or why
    nothing may rest on it."""

    reliance: Fact
    statement: Fact
    why: str

    def told(self) -> str:
        """For people, in one line."""
        said, subject = self.statement.signed.statement, self.reliance.signed.statement.subject[0]
        return f"reliance on {said.kind} of {said.issuer}, {subject.name}"

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        statement = self.reliance.signed.statement
        return {
            "holds": not self.why, "id": statement.id, "limits": statement.predicate["limits"],
            "statement": statement.predicate["statement"], "why": self.why or None,
        }  # fmt: skip


def relied_on(charter: Charter, view: View, facts: Facts, member: str, now: datetime) -> tuple[Relied, ...]:
    """Every reliance of *member* in *view* that it has not taken back, with what became of what it relies on."""
    held = {fact.signed.statement.id: fact for fact in facts.statements}
    own = [f for f in held.values() if f.signed.statement.kind == "reliance" and f.signed.statement.issuer == member]
    names = set()
    for fact in own:
        target = held.get(fact.signed.statement.predicate["statement"])
        for one in (fact, *([target] if target else [])):
            names |= {f"statement:{one.signed.statement.id}", f"key:{one.signed.key_id}"}
    listed = listing.notices(charter, view, facts, sorted(names), held)
    fell = listing.fallen(held.values(), listed)
    found = []
    for fact in sorted(own, key=lambda one: (one.origin, one.index)):
        statement = fact.signed.statement
        if fell.get(statement.id) == "retracted":
            continue
        id = statement.predicate["statement"]
        target = held.get(id)
        why = fell.get(statement.id) or fell.get(id) or ""
        if target is None:
            why = why or "what it relies on is not held here"
        elif parse_time(statement.predicate["limits"]["until"]) < now:
            why = why or f"its limits ended {statement.predicate['limits']['until']}"
        found.append(Relied(fact, target or fact, why))
    return tuple(found)
