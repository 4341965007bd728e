"""Which exercises of a recall reach a release: found beside its bad news, never as such (docs/protocol.md, section 4).

Pure. An exercise is a recall whose target is ``exercise:`` and a name. It is settled as notices are, taken back and
lapsed as they are; one that nobody here can read is none.
"""

from __future__ import annotations

from collections.abc import Collection

from watchword.charter.charter import Charter
from watchword.ledger.listing import notices
from watchword.ledger.query import EXERCISE, reaches
from watchword.ledger.view import Facts, View
from watchword.statements.statement import Signed


def held_recalls(facts: Facts) -> dict[str, Signed]:
    """Every recall and exercise with standing whose text is held, in ledgers or loose, by its statement's id."""
    filed = (leaf.signed for leaf in facts.notices if leaf.signed is not None and leaf.holder is not None)
    held = [*facts.loose, *filed]
    return {one.statement.id: one for one in reversed(held) if one.statement.kind == "recall"}


def exercises(charter: Charter, view: View, facts: Facts, names: Collection[str]) -> tuple[Signed, ...]:
    """Those that reach a release with the name set *names*, in the order of their targets."""
    targets = {str(one.statement.predicate["target"]) for one in held_recalls(facts).values()}
    played = sorted(one for one in targets if one.startswith(EXERCISE) and one.removeprefix(EXERCISE) in names)
    if not played:
        return ()
    listed = notices(charter, view, facts, played, {})
    found = [one.signed for one in listed if one.kind == "recall" and one.signed is not None]
    return tuple(one for one in found if reaches(one.statement.predicate, names))
