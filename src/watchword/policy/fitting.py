"""Fields that a statement would have to have to satisfy conditions: what "good evidence" looks like, built not guessed.

* ``plausible`` is the smallest of a kind (``shapes.blank``), with nothing found and no objection.
* ``fitting`` changes them until every condition holds, or says that no statement of this kind can satisfy all of them.
* What is built is a statement of its kind in full: it passes the same parser as one that arrives.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from watchword.charter.charter import Condition
from watchword.charter.conditions import all_hold, is_decimal, wrong_with
from watchword.policy.shapes import DIGEST, TIME, blank
from watchword.statements.canonical import NotCanonical
from watchword.statements.kinds import is_value_of
from watchword.statements.statement import BadStatement, Subject, make

_NOBODY = Subject("release", DIGEST)


def plausible(kind: str) -> dict[str, Any]:
    """The least that a statement of *kind* can say, without the common four fields, and nothing bad.

    Raises:
        KeyError: no such kind.
    """
    fields = blank(kind)
    return fields | {name: word for name, word in _GOOD.items() if name in fields and is_value_of(kind, name, word)}


def fitting(kind: str, conditions: Iterable[Condition]) -> dict[str, Any] | None:
    """Fields of *kind* of which every one of *conditions* holds; None where no such statement can be made."""
    fields = plausible(kind)
    by_path: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_path.setdefault(condition.field, []).append(condition)
    for path, of in sorted(by_path.items()):
        if not all_hold(of, fields, trouble=False):
            tried = (_with(kind, fields, path, value, of) for value in _values(of))
            found = next((made for made in tried if made is not None), None)
            if found is None:
                return None
            fields = found
    return fields if _parses(kind, fields) else None


_GOOD = {"verdict": "nothing-found", "outcome": "in favour", "of": "legal"}
"""Of words to choose from, those that find nothing and object to nothing."""


def _values(conditions: list[Condition]) -> list[Any]:
    """Values that are worth trying for a field under *conditions*, the plainest first; bounded by their number."""
    tried: list[Any] = []
    held: list[Any] = []
    for one in conditions:
        if wrong_with(one) is not None:
            return []
        wanted = one.value
        if one.op == "in":
            tried += wanted
        elif one.op == "contains":
            held.append(wanted)
        elif one.op != "any":
            tried += [wanted, *_beside(wanted)]
    if held:
        return [held]
    return [*tried, TIME, DIGEST, 0, True, False]


def _beside(value: Any) -> list[Any]:
    """A little less and a little more than *value*, or another text."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value - 1, value + 1]
    if is_decimal(value):
        here = Decimal(value)
        return [format(here - Decimal("0.001"), "f"), format(here + Decimal("0.001"), "f")]
    return [f"not {value}"[:40]]


def _with(
    kind: str, fields: dict[str, Any], path: str, value: Any, conditions: list[Condition]
) -> dict[str, Any] | None:
    """*fields* with *value* at *path*, if that is of the kind's types and satisfies *conditions*."""
    changed = copy.deepcopy(fields)
    *above, last = path.split(".")
    at: Any = changed
    for step in above:
        at = at.get(step) if isinstance(at, dict) else None
    if not isinstance(at, dict) or last not in at:
        return None
    at[last] = copy.deepcopy(value)
    return changed if all_hold(conditions, changed, trouble=False) and _parses(kind, changed) else None


def _parses(kind: str, fields: dict[str, Any]) -> bool:
    try:
        make(kind, (_NOBODY,), fields, issuer="", made=datetime(2000, 1, 1, tzinfo=UTC))
    except (BadStatement, NotCanonical):
        return False
    return True
