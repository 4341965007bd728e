"""Use cases travel with the decisions that name them: who may read a decision learns what it was for.

* An exchange carries the use case of each decision whose body it carries, and of no other: the same readers.
* One that arrives is kept only when a decision with standing, held here, names exactly its digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchword.ledger.bundle import Body
from watchword.node.store import Store
from watchword.statements.digests import DJ, is_digest

FORMAT = "watchword-use-case/1"


def cases_for(store: Store, bodies: Iterable[Body]) -> tuple[Any, ...]:
    """The use cases kept here that decisions among *bodies* name, in order of digest."""
    found = {digest: store.object(digest) for digest in _named(store, bodies)}
    return tuple(found[digest] for digest in sorted(found) if _is_case(found[digest]))


def keep_cases(store: Store, bodies: Iterable[Body], objects: Iterable[Any]) -> None:
    """Keep those of *objects* that are use cases and that decisions among *bodies*, held by now, name."""
    arrived = {DJ(value): value for value in objects if _is_case(value)}
    for digest in arrived.keys() & (_named(store, bodies) if arrived else set()):
        store.keep_object(arrived[digest])


def _named(store: Store, bodies: Iterable[Body]) -> set[str]:
    named = set()
    for body in bodies:
        held = store.held(body.commitment) if body.sort == "envelope" else None
        if held is not None and held.holder is not None and held.signed.statement.kind == "decision":
            digest = held.signed.statement.predicate["decision"].get("use_case")
            named |= {digest} if isinstance(digest, str) and is_digest(digest) else set()
    return named


def _is_case(value: Any) -> bool:
    return isinstance(value, dict) and value.get("format") == FORMAT
