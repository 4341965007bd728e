"""Fields that a statement would have to have to satisfy conditions: what "good evidence" looks like, built not guessed.

* ``plausible`` makes fields of a kind from its typed structure: nothing found, empty, null, zero, a word allowed.
* ``fitting`` changes them until every condition holds, or says that no statement of this kind can satisfy all of them.
* What is built is a statement of its kind in full: it passes the same parser as one that arrives.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from watchword.charter.charter import Condition
from watchword.charter.conditions import all_hold, is_decimal, wrong_with
from watchword.statements.canonical import NotCanonical
from watchword.statements.kinds import KINDS, Common
from watchword.statements.statement import BadStatement, Subject, make

ANY_TEXT = "any"
NO_DIGEST = "sha256:" + "0" * 64
A_TIME = "2000-01-01T00:00:00Z"
_COMMON = frozenset(Common.__struct_fields__)
_NOBODY = Subject("release", NO_DIGEST)


def plausible(kind: str) -> dict[str, Any]:
    """The least that a statement of *kind* can say, without the common four fields.

    Raises:
        KeyError: no such kind.
    """
    return {
        field.encode_name: _least(field.type, field.encode_name)
        for field in msgspec.inspect.type_info(KINDS[kind]).fields  # type: ignore[attr-defined]
        if field.encode_name not in _COMMON
    }


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


def _least(kind: msgspec.inspect.Type, name: str) -> Any:
    inspected = msgspec.inspect
    if isinstance(kind, inspected.UnionType):
        if any(isinstance(one, inspected.NoneType) for one in kind.types):
            return None
        return _least(kind.types[0], name)
    if isinstance(kind, inspected.LiteralType):
        # In the order written: msgspec sorts them, and the first of ours is the good one.
        return _LITERALS.get(name, sorted(map(str, kind.values))[0])
    if isinstance(kind, inspected.StrType):
        return next((text for text in _TEXTS if _matches(kind, text)), ANY_TEXT)
    if isinstance(kind, inspected.IntType):
        return kind.ge or 0
    if isinstance(kind, inspected.StructType):
        return {field.encode_name: _least(field.type, field.encode_name) for field in kind.fields}
    if isinstance(kind, inspected.ListType):
        return [_least(kind.item_type, name) for _ in range(kind.min_length or 0)]
    return {} if isinstance(kind, inspected.DictType) else None


_TEXTS = (ANY_TEXT, NO_DIGEST, A_TIME, "0", "")
_LITERALS = {"verdict": "nothing-found", "outcome": "in favour", "of": "legal"}


def _matches(kind: msgspec.inspect.StrType, text: str) -> bool:
    try:
        msgspec.convert(text, _text_type(kind), strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _text_type(kind: msgspec.inspect.StrType) -> Any:
    return Annotated[str, msgspec.Meta(pattern=kind.pattern, max_length=kind.max_length, min_length=kind.min_length)]


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
    return [*tried, ANY_TEXT, A_TIME, NO_DIGEST, 0, True, False]


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
