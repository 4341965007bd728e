"""Whether a second opinion is that of a third lab: somebody asked it who may not have the subject, and it is none of
those with an interest (docs/protocol.md, section 12).

1. The seed is that of a replication for a member: that member asked.
2. The lab shares no operator with who asked, nor with who evaluated.
3. It is not the supplier: no claim about the release is its own, its operator's, or of a supplier of that name.
4. The draw is from none of its own operator's ledgers.

Not checked: that the lab was shown the subject, and who pays it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchword.charter.charter import Charter
from watchword.evaluate.draw import seed_of
from watchword.statements.statement import Statement


def purpose(member: str) -> str:
    """What the draw of a replication is for: *member* asks."""
    return f"replication {member}"


def asker_of(charter: Charter, evaluation: str, drawn: dict[str, Any] | None, seed: str) -> str | None:
    """The member for whom *seed* was drawn; None where it is no draw of a replication of *evaluation*."""
    if drawn is None:
        return None
    for member in charter.members:
        if seed_of(evaluation, drawn["origin"], drawn["size"], drawn["root"], purpose(member.name)) == seed:
            return member.name
    return None


def interest(charter: Charter, statements: Iterable[Statement], evaluation: Statement, lab: str, asker: str) -> str:
    """Which interest *lab* has in *evaluation*, in words; empty where it has none, and is a third.

    Args:
        statements: what is held with standing.
    """
    operators = {member.name: member.operator for member in charter.members}
    own = operators[lab]
    for what, member in (("asked", asker), ("evaluated", evaluation.issuer)):
        if operators.get(member) == own:
            return f"{lab} {what}" if member == lab else f"{lab} shares the operator {own} with {member}, who {what}"
    release = evaluation.subject[0].digest
    for one in statements:
        claimed = one.kind == "claim" and one.subject[0].digest == release
        if claimed and (operators.get(one.issuer) == own or one.issuer in (own, lab)):
            return f"{lab} supplies it: claim {one.id}"
    return ""


def no_third(charter: Charter, statements: Iterable[Statement], evaluation: Statement, opinion: Statement) -> str:
    """Why *opinion* is not that of a third lab; empty where it is."""
    said = opinion.predicate
    asker = asker_of(charter, evaluation.id, said["drawn"], said["seed"])
    if asker is None:
        return "drawn for nobody"
    origin = charter.origins.get(said["drawn"]["origin"])
    if origin is None or charter.member(opinion.issuer).operator == charter.member(origin.member.name).operator:
        return "drawn from its own ledger"
    return interest(charter, statements, evaluation, opinion.issuer, asker)
