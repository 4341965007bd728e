"""A statement that names another by its id reaches no further than that one (I10).

An id is the digest of a payload without a salt: who can guess what was said can test the guess. So the id of a
statement of narrow scope stands only where the statement itself may be.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

from watchword.errors import WatchwordError
from watchword.node.noticed import notices_held
from watchword.node.store import Store
from watchword.statements.statement import Statement

NAMING = frozenset(
    {
        "decision", "mandate", "approval", "reply", "marking", "recall", "retract", "dispute", "take-back",
        "evaluation", "opinion", "incident", "recall-answer",
    }
)  # fmt: skip
"""Kinds with a field that holds another statement's id."""


class TooWide(WatchwordError):
    """A statement whose scope is wider than that of a statement it names."""


def within(scope: Any, outer: Any) -> bool:
    """Whether all who may hold a body of *scope* may hold one of scope *outer*, the maker of either aside."""
    if outer == "public" or scope in (outer, "own"):
        return True
    if outer == "alliance":
        return bool(scope != "public")
    return isinstance(scope, list) and isinstance(outer, list) and set(scope) <= set(outer)


def refuse_wider(store: Store, statement: Statement) -> None:
    """Check a statement that is about to be signed against every statement held that it names.

    Raises:
        TooWide: names the one whose scope is narrower.
    """
    if statement.kind not in NAMING:
        return
    named = set(re.findall(r"sha256:[0-9a-f]{64}", statement.payload.decode()))
    # Notices first: who answers a recall names nothing else, and the rest need not be read.
    everywhere = chain(notices_held(store), (held for _, _, held in store.statements()))
    for one in (held.signed.statement for held in everywhere):
        if one.id not in named:
            continue
        named.remove(one.id)
        scope = one.predicate.get("scope")
        if not within(statement.predicate["scope"], scope):
            shown = ",".join(scope) if isinstance(scope, list) else str(scope)
            raise TooWide(
                f"{statement.kind}: names {one.kind} {one.id}, whose scope is {shown}",
                f"--scope {shown}: what names a statement reaches no further than it",
            )
        if not named:
            return
