"""How strict a row is: the scales on which two versions of one row are more or less demanding, and nothing else.

* A requirement is stricter with a higher count, more tools, a lower age, from a lower criticality, and with a bound
  that fewer values pass (``<=`` and ``<`` of a lower value, ``>=`` and ``>`` of a higher one); no bound is the loosest.
* A red line is stricter when it forbids more: the same conditions with thresholds that more uses pass.
* Two versions have one *shape* when they differ in nothing but scales and wording (text, principle, serves). Versions
  of different shape are rivals: a charter can hold only one of them.
* Only integers and decimal texts are on a scale; a field that two conditions of one row compare the same way is not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from watchword.charter.conditions import ORDER, is_decimal

Row = Mapping[str, Any]
Strict = int | Decimal | float
LOOSEST, STRICTEST = float("-inf"), float("inf")
WORDING = ("text", "principle", "serves")
NAMES = {
    "count": "how many",
    "tools": "different tools",
    "max_age_days": "days old at most",
    "criticality": "from criticality",
}


@dataclass(frozen=True, order=True)
class Scale:
    """One scale of a row. ``of``: a field of the row, or ``bound`` or ``forbid`` with a condition's field and op."""

    of: str
    field: str = ""
    op: str = ""
    whole: bool = False

    def __str__(self) -> str:
        return NAMES.get(self.of) or f"{self.field} {self.op}"


@dataclass(frozen=True)
class Point:
    """A place on a scale: how strict, and the value that a row has there; None: the row does not say."""

    strict: Strict
    value: Any

    def __str__(self) -> str:
        return "not said" if self.value is None else str(self.value)


NOT_SAID = Point(LOOSEST, None)


def points(row: Row) -> dict[Scale, Point]:
    """Where *row*, as a pack holds it, stands on each of its scales."""
    if "forbid" in row:
        return _on_scales("forbid", row["forbid"])
    age = row["max_age_days"]
    found = {
        Scale("count"): Point(row["count"], row["count"]),
        Scale("tools"): Point(row["tools"], row["tools"]),
        Scale("max_age_days"): NOT_SAID if age is None else Point(-age, age),
        Scale("criticality"): Point(-row["when"]["criticality"], row["when"]["criticality"]),
    }
    return found | _on_scales("bound", row["bound"])


def shape(row: Row) -> str:
    """What *row* is besides its scales and its wording, as a text that two versions share or not."""
    scaled = points(row)
    rest = {name: value for name, value in row.items() if name not in (*NAMES, *WORDING)}
    if "forbid" in row:
        # Which conditions a red line has is its shape; only their thresholds are on a scale.
        scales = [(_scale(one, "forbid"), one) for one in row["forbid"]]
        rest["forbid"] = [str(scale) + str(scale.whole) if scale in scaled else one for scale, one in scales]
    else:
        rest["bound"] = [one for one in row["bound"] if _scale(one, "bound") not in scaled]
        rest["when"] = [row["when"]["human"], row["when"].get("release")]
    return json.dumps(rest, sort_keys=True)


def moved(row: Row, to: Mapping[Scale, Point]) -> dict[str, Any]:
    """*row* with the values of *to* on those scales."""
    result: dict[str, Any] = {**row}
    for scale, point in sorted(to.items()):
        if scale.of in ("bound", "forbid"):
            result[scale.of] = _conditions(result[scale.of], scale, point)
        elif scale.of == "criticality":
            result["when"] = {**result["when"], "criticality": point.value}
        else:
            result[scale.of] = point.value
    return result


def point_at(scale: Scale, strict: Strict) -> Point:
    """The point of *scale* that is as strict as *strict*, which is finite or the loosest."""
    if isinstance(strict, float):
        return NOT_SAID
    rises = scale.of in ("count", "tools") or (scale.of in ("bound", "forbid") and _rises(scale))
    value = strict if rises else _negative(strict)
    return Point(strict, format(value, "f") if isinstance(value, Decimal) else value)


def limits_on(row: Row, said: Mapping[str, Any]) -> dict[Scale, Point]:
    """The points that a position's ``no_looser_than`` or ``no_stricter_than`` names.

    Raises:
        KeyError: a name that is no scale of *row*. ValueError: a value that is none of that scale's.
    """
    found: dict[Scale, Point] = {}
    conditions = "forbid" if "forbid" in row else "bound"
    for name, value in said.items():
        if name == conditions and isinstance(value, list):
            named = _on_scales(conditions, value)
            if len(named) != len(value):
                raise ValueError(name)
            found |= named
        elif name not in NAMES or conditions == "forbid":
            raise KeyError(name)
        elif type(value) is not int or value < 0:
            raise ValueError(name)
        else:
            found[Scale(name)] = Point(value if name in ("count", "tools") else -value, value)
    unknown = set(found) - set(points(row)) if conditions == "forbid" else set()
    if unknown:
        raise KeyError(str(min(unknown)))
    return found


def _scale(condition: Mapping[str, Any], of: str) -> Scale | None:
    op, value = condition.get("op"), condition.get("value")
    if op not in ORDER or not (type(value) is int or (isinstance(value, str) and is_decimal(value))):
        return None
    return Scale(of, condition["field"], op, type(value) is int)


def _on_scales(of: str, conditions: list[dict[str, Any]]) -> dict[Scale, Point]:
    scales = [_scale(one, of) for one in conditions]
    times = Counter(scales)
    found = {}
    for scale, one in zip(scales, conditions, strict=True):
        if scale is not None and times[scale] == 1:
            value = one["value"] if scale.whole else Decimal(one["value"])
            found[scale] = Point(value if _rises(scale) else _negative(value), one["value"])
    return found


def _rises(scale: Scale) -> bool:
    """Whether a condition's row is stricter with a higher value: fewer pass a bound, more meet a red line."""
    return (scale.op in (">", ">=")) == (scale.of == "bound")


def _negative(value: int | Decimal) -> int | Decimal:
    # Unary minus would round a long decimal to the context's precision.
    return value.copy_negate() if isinstance(value, Decimal) else -value


def _conditions(conditions: list[dict[str, Any]], scale: Scale, point: Point) -> list[dict[str, Any]]:
    moved_to = {"field": scale.field, "op": scale.op, "value": point.value}
    here = [at for at, one in enumerate(conditions) if _scale(one, scale.of) == scale]
    if point.value is None:
        return [one for at, one in enumerate(conditions) if at not in here]
    if not here:
        return [*conditions, moved_to]
    return [moved_to if at in here else one for at, one in enumerate(conditions)]
