"""The predicate grammar of bounds, filters, red lines and mandates (docs/protocol.md, section 8). Pure.

* A condition compares one field of a JSON object, named by a dotted path, with one value.
* Types are strict: an integer is never true or false, a text is never a number, a float compares with nothing.
* A field that is missing, a type that does not fit or an unknown operator is *trouble*. Trouble has no truth of its
  own: the caller says what it counts as, and it must be what does not help (false in a bound, true in a red line).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from watchword.charter.charter import Condition
from watchword.errors import WatchwordError
from watchword.limits import JSON_INTEGER_MAX

ORDER = frozenset({"<", "<=", ">", ">="})
OPS = frozenset({"==", "!=", "in", "contains", "any"}) | ORDER
COUNTED = frozenset({"recalls", "disputes", "incidents", "dangerous", "against", "endpoint"})
"""The counts that red lines and caveats speak of. They compare with ``>`` and ``>=`` alone: a count that grows must
never let through what was forbidden."""
DECIMAL_CHARS_MAX = 40
"""Characters of a decimal text. Origin: docs/protocol.md, section 8."""


class Trouble(WatchwordError):
    """A condition that has no answer for this object. Says why."""


def holds(condition: Condition, value: Mapping[str, Any]) -> bool:
    """Whether *condition* is true of the JSON object *value*.

    Raises:
        Trouble: no answer; the caller decides what that counts as.
    """
    field, op, wanted = condition.field, condition.op, condition.value
    # A path of one step is the usual case: 1,000 rules are asked for each action.
    found = value[field] if field in value and "." not in field else _look_up(value, field)
    if op == "any":
        return True
    if op == "in":
        if not isinstance(wanted, list) or not _is_scalar(found):
            raise Trouble(f"{condition.field}: in takes a list, and a field that is text, integer or true/false")
        return any(_same(found, one) for one in wanted)
    if op == "contains":
        if not isinstance(found, list) or not _is_scalar(wanted):
            raise Trouble(f"{condition.field}: contains takes a list as field and one text, integer or true/false")
        return any(_same(one, wanted) for one in found)
    return _compare(field, op, found, wanted)


def holds_or(condition: Condition, value: Mapping[str, Any], trouble: bool) -> bool:
    """``holds``, with *trouble* as the answer where there is none."""
    try:
        return holds(condition, value)
    except Trouble:
        return trouble


def all_hold(conditions: Sequence[Condition], value: Mapping[str, Any], trouble: bool) -> bool:
    """Whether every condition holds, trouble counting as *trouble*. True of no conditions."""
    return all(holds_or(condition, value, trouble) for condition in conditions)


def is_trouble(condition: Condition) -> bool:
    """Whether *condition* is trouble in a red line or caveat by its form alone, and so counts as holding.

    A count compares only upwards; a text is compared as it stands, so it is not compared with a decimal.
    """
    if condition.field in COUNTED:
        return condition.op not in (">", ">=")
    compares = condition.op in ORDER or condition.op in ("==", "!=")
    return compares and isinstance(condition.value, str) and is_decimal(condition.value)


def written(condition: Condition) -> str:
    """The condition as people read it: ``changed_labels <= 0``."""
    if condition.op == "any":
        return f"{condition.field} is present"
    return f"{condition.field} {condition.op} {_shown(condition.value)}"


def wrong_with(condition: Condition) -> str | None:
    """What makes *condition* trouble for every object there could be, or None."""
    op, wanted = condition.op, condition.value
    if not all(condition.field.split(".")):
        return f"field {condition.field[:80]!r} is not a dotted path"
    if op not in OPS:
        return f"operator {op[:20]!r} is none of {' '.join(sorted(OPS))}"
    if op == "any":
        return None if wanted is None else "any takes no value"
    if op == "in":
        fits = isinstance(wanted, list) and bool(wanted) and all(_is_scalar(one) for one in wanted)
        return None if fits else "in takes a list of texts, integers or true/false, not empty"
    if not _is_scalar(wanted):
        return f"{op} takes a text, an integer or true/false"
    if op in ORDER and (isinstance(wanted, bool) or (isinstance(wanted, str) and not is_decimal(wanted))):
        return f"{op} takes an integer or a decimal text such as '0.20', not {_shown(wanted)}"
    if isinstance(wanted, int) and abs(wanted) > JSON_INTEGER_MAX:
        return "integer past 2^53 - 1"
    return None


def is_decimal(text: str) -> bool:
    """Whether *text* is a decimal of the protocol: ``-?(0|[1-9][0-9]*)(.[0-9]+)?``, at most 40 characters."""
    return len(text) <= DECIMAL_CHARS_MAX and _DECIMAL.fullmatch(text) is not None


_SCALARS = (str, int)
_ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)


def _look_up(value: Any, path: str) -> Any:
    for step in path.split("."):
        # A dict is the usual case, and a subclass check of an abstract class takes longer than the rest together.
        if not isinstance(value, dict | Mapping) or step not in value:
            raise Trouble(f"{path}: there is no such field")
        value = value[step]
    return value


def _compare(field: str, op: str, found: Any, wanted: Any) -> bool:
    if type(found) is not type(wanted) or not _is_scalar(found):
        raise Trouble(f"{field}: {op} of two different types, or of one that does not compare")
    if isinstance(found, str) and is_decimal(found) and is_decimal(wanted):
        # Decimal compares exactly, whatever the context's precision.
        found, wanted = Decimal(found), Decimal(wanted)
    if op == "==":
        return bool(found == wanted)
    if op == "!=":
        return bool(found != wanted)
    if op not in ORDER or isinstance(found, bool | str):
        raise Trouble(f"{field}: {op} compares integers or decimal texts")
    return bool(_ORDERED[op](found, wanted))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, _SCALARS)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and _is_scalar(one) and bool(one == other)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
