"""Conditions as one line of text, both ways: how they stand in a cell of a table that people edit.

    verdict == nothing-found and high <= 0.20 and human in [in, on] and report is present

The grammar is that of docs/protocol.md, section 8. A value is an integer, ``true``, ``false``, a list in brackets or a
text; a text is bare where it is one word of letters, digits and ``-`` that begins with a letter, or a decimal with a
point, and in double quotes, as JSON has it, anywhere else. What is written reads back as exactly the same condition;
whether it makes sense is ``charter.lint``'s to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from watchword.charter.conditions import OPS, is_decimal
from watchword.errors import WatchwordError
from watchword.limits import CONDITION_LISTS_MAX

_NAMES = frozenset({"true", "false", "null"})
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_MORE = re.compile(r"\s*+\S")
_TOKEN = re.compile(r'\s*+("(?:[^"\\]|\\.)*+"|==|!=|<=|>=|[<>\[\],]|[^\s"<>=!\[\],]++)', re.DOTALL)


class BadCondition(WatchwordError):
    """A cell that does not read as conditions, or a value that no cell can hold. Says what was expected."""


def written(conditions: Sequence[dict[str, Any]]) -> str:
    """*conditions* (field, op, value) on one line; empty where there is none.

    Raises:
        BadCondition: a value that is no text, integer, true or false, or list of those.
    """
    return " and ".join(_one(one["field"], one["op"], one["value"]) for one in conditions)


def read(text: str) -> list[dict[str, Any]]:
    """The conditions that *text* holds.

    Raises:
        BadCondition: not of this grammar; quotes the place.
    """
    tokens = _Tokens(text)
    found: list[dict[str, Any]] = []
    while tokens.more():
        if found:
            tokens.take("and")
        field, op = tokens.text("a field"), tokens.next("an operator")
        if op == "is":
            tokens.take("present")
            found.append({"field": field, "op": "any", "value": None})
        elif op in OPS or op.startswith('"'):
            value = None if tokens.peek() == "null" and tokens.next("") else tokens.value()
            found.append({"field": field, "op": _unquoted(op), "value": value})
        else:
            known = " ".join(sorted(OPS))
            raise BadCondition(f"{field[:60]} is followed by {op[:60]!r}, no operator: {known}, is present")
    return found


def words(items: Sequence[str]) -> str:
    """A list of texts in one cell: ``in, on``."""
    return ", ".join(map(word, items))


def read_words(text: str) -> list[str]:
    """The texts of such a cell.

    Raises:
        BadCondition: not such a list.
    """
    tokens = _Tokens(text)
    found: list[str] = []
    while tokens.more():
        if found:
            tokens.take(",")
        found.append(tokens.text("a word, or a text in quotes"))
    return found


def word(text: str) -> str:
    """One text as it stands in a cell beside others: bare or in quotes."""
    bare = (_BARE.fullmatch(text) and text not in _NAMES) or ("." in text and is_decimal(text))
    return text if bare else json.dumps(text, ensure_ascii=False)


def read_until(text: str, keyword: str) -> tuple[str, str]:
    """The text at the beginning of a cell, and what stands after *keyword*; empty where the cell ends before.

    Raises:
        BadCondition: no text there, or something else than *keyword* after it.
    """
    tokens = _Tokens(text)
    first = tokens.text("a word, or a text in quotes")
    if not tokens.more():
        return first, ""
    if not keyword:
        tokens.fail("the end")
    tokens.take(keyword)
    return first, tokens.rest()


class _Tokens:
    """The tokens of one cell, taken from the left; linear in its length."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def more(self) -> bool:
        return _MORE.match(self._text, self._at) is not None

    def rest(self) -> str:
        return self._text[self._at :].strip()

    def peek(self) -> str | None:
        match = _TOKEN.match(self._text, self._at)
        return match[1] if match else None

    def next(self, expected: str) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            self.fail(expected)
        self._at = match.end()
        return str(match[1])

    def take(self, token: str) -> None:
        before = self._at
        if self.next(f"{token!r}") != token:
            self._at = before
            self.fail(f"{token!r}")

    def text(self, expected: str) -> str:
        before = self._at
        found = self.next(expected)
        if found in ("[", "]", ",", "<", ">", "==", "!=", "<=", ">="):
            self._at = before
            self.fail(expected)
        return _unquoted(found)

    def value(self, depth: int = 0) -> Any:
        before = self._at
        found = self.next("a value")
        if found == "[" and depth < CONDITION_LISTS_MAX:
            return self._list(depth)
        if found.startswith('"'):
            return _unquoted(found)
        if found in ("true", "false"):
            return found == "true"
        if _INTEGER.fullmatch(found):
            return int(found)
        if (_BARE.fullmatch(found) and found not in _NAMES) or (is_decimal(found) and "." in found):
            return found
        self._at = before
        self.fail("a value: an integer, true, false, a word, a text in quotes or a [list]")

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while self.peek() != "]":
            if found:
                self.take(",")
            found.append(self.value(depth + 1))
        self.next("']'")
        return found

    def fail(self, expected: str) -> NoReturn:
        raise BadCondition(f"{self.rest()[:60] or 'the end'!r} stands where {expected} was expected")


def _one(field: str, op: str, value: Any) -> str:
    name = field if _PATH.fullmatch(field) else json.dumps(field, ensure_ascii=False)
    if op == "any" and value is None:
        return f"{name} is present"
    shown = op if op in OPS else json.dumps(op, ensure_ascii=False)
    return f"{name} {shown} {'null' if value is None else _value(value)}"


def _value(value: Any, depth: int = 0) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and _INTEGER.fullmatch(str(value)):
        return str(value)
    if isinstance(value, str):
        return word(value)
    if isinstance(value, list) and depth < CONDITION_LISTS_MAX:
        return f"[{', '.join(_value(one, depth + 1) for one in value)}]"
    what = type(value).__name__
    raise BadCondition(f"a value of type {what} has no place in a table", "decimals are written as texts")


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token, strict=False))
    except ValueError as error:
        raise BadCondition(f"{token[:60]} is not a text in quotes, as JSON writes it") from error
