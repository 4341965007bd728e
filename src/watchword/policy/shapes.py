"""What a field of a statement can hold, read from the kinds themselves. Pure.

* A path that leads nowhere, or through a list, is ``missing``: a condition on it is in trouble for every statement.
* ``nullable`` names the steps at which null may stand: null inside the path makes the rest missing, null at its end
  is there, and compares with nothing.
* What is neither text, integer, list nor structure is ``opaque``: nothing is concluded about a rule that asks for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec

from watchword.charter.conditions import is_decimal
from watchword.statements.kinds import KINDS

Sort = Literal["missing", "opaque", "integer", "text", "texts", "list", "structure"]


@dataclass(frozen=True)
class Shape:
    """One field's shape.

    Attributes:
        low, high: bounds of an integer, or None.
        values: the only texts there can be; None where any of ``pattern`` can be.
        pattern: a regular expression that every text matches; None for any text.
        nullable: the dotted paths, from the outside in, at which null may stand; the field's own is among them.
    """

    sort: Sort
    low: int | None = None
    high: int | None = None
    values: tuple[str, ...] | None = None
    pattern: str | None = None
    nullable: tuple[str, ...] = ()

    def allows(self, text: str) -> bool:
        """Whether this field can hold *text*."""
        if self.values is not None:
            return text in self.values
        return self.pattern is None or re.search(self.pattern, text) is not None

    @property
    def is_decimal(self) -> bool | None:
        """Whether its texts are decimals: all, none, or None where some are."""
        if self.values is not None:
            found = {is_decimal(one) for one in self.values}
            return found.pop() if len(found) == 1 else None
        if self.pattern is None:
            return None
        return _PATTERNS.get(self.pattern)


@lru_cache(maxsize=1024)
def shape(kind: str, path: str) -> Shape:
    """The shape of the field *path* of *kind*'s predicate."""
    known = KINDS.get(kind)
    if known is None:
        return Shape("missing")
    at: Any = structure(kind)
    nullable: list[str] = []
    steps = path.split(".")
    for depth, step in enumerate(steps, 1):
        if not isinstance(at, msgspec.inspect.StructType):
            return Shape("opaque" if isinstance(at, msgspec.inspect.DictType | msgspec.inspect.AnyType) else "missing")
        field = next((one for one in at.fields if one.encode_name == step), None)
        if field is None:
            return Shape("missing")
        at = field.type
        if isinstance(at, msgspec.inspect.UnionType) and len(at.types) == 2 and at.includes_none:
            nullable.append(".".join(steps[:depth]))
            at = next(one for one in at.types if not isinstance(one, msgspec.inspect.NoneType))
    return _leaf(at, tuple(nullable))


@lru_cache
def structure(kind: str) -> Any:
    """The structure of a known kind, as msgspec describes it: each time anew it costs more than what asks for it."""
    return msgspec.inspect.type_info(KINDS[kind])


def blank(kind: str, path: str = "") -> dict[str, Any]:
    """The smallest predicate of *kind* without the common four fields: null, empty, zero, the first of a choice.

    Args:
        path: of a structure within it, where only that one is wanted.
    """
    common = set() if path else {"issuer", "made", "scope", "after"}
    at: Any = structure(kind)
    for step in path.split(".") if path else ():
        at = next(one.type for one in at.fields if one.encode_name == step)
        if isinstance(at, msgspec.inspect.UnionType):
            at = next(one for one in at.types if not isinstance(one, msgspec.inspect.NoneType))
    return {one.encode_name: _blank(one.type) for one in at.fields if one.encode_name not in common}


DIGEST, TIME = "sha256:" + "0" * 64, "2026-01-01T00:00:00Z"
_PATTERNS = {
    r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$": True,
    "^sha256:[0-9a-f]{64}$": False,
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$": False,
}
"""Whether what matches is a decimal; a pattern that is not here may or may not."""


def _leaf(at: Any, nullable: tuple[str, ...]) -> Shape:
    if isinstance(at, msgspec.inspect.IntType):
        low = at.ge if at.ge is not None else None if at.gt is None else at.gt + 1
        high = at.le if at.le is not None else None if at.lt is None else at.lt - 1
        return Shape("integer", low, high, nullable=nullable)
    if isinstance(at, msgspec.inspect.StrType):
        return Shape("text", pattern=at.pattern, nullable=nullable)
    if isinstance(at, msgspec.inspect.LiteralType) and all(isinstance(one, str) for one in at.values):
        return Shape("text", values=tuple(str(one) for one in at.values), nullable=nullable)
    if isinstance(at, msgspec.inspect.ListType):
        item = at.item_type
        plain = isinstance(item, msgspec.inspect.StrType) and item.pattern is None
        if plain or isinstance(item, msgspec.inspect.StructType):
            return Shape("texts" if plain else "list", nullable=nullable)
    if isinstance(at, msgspec.inspect.StructType):
        return Shape("structure", nullable=nullable)
    return Shape("opaque", nullable=nullable)


def _blank(at: Any) -> Any:
    if isinstance(at, msgspec.inspect.UnionType):
        return None if at.includes_none else _blank(at.types[0])
    if isinstance(at, msgspec.inspect.StructType):
        return {one.encode_name: _blank(one.type) for one in at.fields}
    if isinstance(at, msgspec.inspect.ListType):
        return [_blank(at.item_type) for _ in range(at.min_length or 0)]
    if isinstance(at, msgspec.inspect.DictType):
        return {}
    if isinstance(at, msgspec.inspect.LiteralType):
        return at.values[0]
    if isinstance(at, msgspec.inspect.BoolType):
        return False
    if isinstance(at, msgspec.inspect.StrType):
        long = [one for one in ("", "0", DIGEST, TIME) if len(one) >= (at.min_length or 0)]
        return next((one for one in long if at.pattern is None or re.search(at.pattern, one)), "")
    return at.ge if getattr(at, "ge", None) is not None else 0
