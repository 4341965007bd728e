"""Whether a release is admitted for a use, as far as one who does not trust the moment knows it.

1. a person of one's own member has admitted exactly this digest for exactly this use case, under the charter in force,
   and that decision has not fallen;
2. the decision, made again now from all that is known, is still yes: bad news since then counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watchword.guard.refused import Refused
from watchword.policy.admission import admit
from watchword.policy.table import fallen, notices
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339

if TYPE_CHECKING:
    from watchword.charter.charter import Charter
    from watchword.inspect import Inspection
    from watchword.ledger.view import Fact, Facts, View


@dataclass(frozen=True)
class Known:
    """All that is known: the charter, a view and what stands in it, whose admissions count, and the time."""

    charter: Charter
    view: View
    facts: Facts
    member: str
    now: datetime


def standing_admission(
    known: Known, digest: str, use_case: dict[str, Any], inspection: Inspection | None = None, name: str = ""
) -> str:
    """The id of the admission that lets *digest* pass for *use_case*.

    Args:
        inspection: of what has this digest, for the refusal; *name*: what it is called there.

    Raises:
        Refused: there is none, or it is no longer good.
    """
    called, use = name or (inspection.target if inspection else "the release"), use_case["name"]
    # 1
    made = [fact for fact in known.facts.statements if _admits(known, fact, digest, use_case)]
    standing = _not_fallen(known, made)
    if not standing:
        what = "no admission" if not made else "no admission that still stands"
        hint = f"watchword admit RELEASE --use FILE, by an official of {known.member}; nothing was handed over"
        raise Refused(f"{called} ({digest}) has {what} for {use}", hint, inspection)
    fact = max(standing, key=lambda one: one.signed.statement.made)
    # 2
    subject = Subject(fact.signed.statement.subject[0].name, digest)
    again = admit(known.charter, known.view, known.facts, rfc3339(known.now), subject, use_case)
    if not again.admitted:
        words = f"{called} ({digest}) was admitted for {use} and is no longer"
        raise Refused(words, "nothing was handed over", inspection, again.explanation)
    return fact.signed.statement.id


def _admits(known: Known, fact: Fact, digest: str, use_case: dict[str, Any]) -> bool:
    """Whether *fact* is an admission by a person of the member, of this release, for this use, under this charter."""
    statement = fact.signed.statement
    if statement.kind != "decision" or fact.holder.job != "people" or fact.holder.owner != known.member:
        return False
    value = statement.predicate["decision"]
    return (
        [one.digest for one in statement.subject] == [digest]
        and value.get("verdict") == "admitted"
        and value.get("use_case") == DJ(use_case)
        and value.get("charter") == known.charter.digest
    )


def _not_fallen(known: Known, made: list[Fact]) -> list[Fact]:
    own = {fact.signed.statement.id: fact for fact in made}
    names = [
        name
        for fact in made
        for name in (f"statement:{fact.signed.statement.id}", f"key:{fact.signed.key_id}")
    ]  # fmt: skip
    gone = fallen(made, notices(known.charter, known.view, known.facts, names, own))
    return [fact for fact in made if fact.signed.statement.id not in gone]
