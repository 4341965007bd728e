"""The predicate grammar: strict types, exact decimals, and trouble that never says yes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.charter.charter import Condition
from watchword.charter.conditions import OPS, Trouble, all_hold, holds, holds_or, is_decimal, written, wrong_with

OBJECT: dict[str, Any] = {
    "verdict": "nothing-found", "dangerous": 0, "high": "0.20", "yes": True, "tool": {"name": "t"}, "report": None,
    "tags": ["a", 1], "ratio": 0.5, "empty": [],
}  # fmt: skip


def condition(field: str, op: str, value: Any = None) -> Condition:
    return Condition(field=field, op=op, value=value)


@pytest.mark.parametrize(
    ("field", "op", "value", "answer"),
    [
        ("verdict", "==", "nothing-found", True),
        ("verdict", "!=", "dangerous", True),
        ("dangerous", "<=", 0, True),
        ("dangerous", ">", 0, False),
        ("dangerous", ">=", 0, True),
        ("dangerous", "<", 0, False),
        ("high", "<=", "0.2", True),  # compared as decimals, not as text
        ("high", "<=", "0.1999999999999999999999999999999999999", False),
        ("high", ">", "-3", True),
        ("high", "==", "0.200", True),
        ("yes", "==", True, True),
        ("tool.name", "==", "t", True),
        ("verdict", "in", ["nothing-found", 7], True),
        ("verdict", "in", ["x"], False),
        ("yes", "in", [1], False),  # true is not 1
        ("tags", "contains", "a", True),
        ("tags", "contains", True, False),  # 1 is not true
        ("empty", "contains", "a", False),
        ("tool.name", "any", None, True),
        ("report", "any", None, True),
    ],
)
def test_a_condition_compares_like_with_like(field: str, op: str, value: Any, answer: bool) -> None:
    """The value decides, whatever the caller says about trouble."""
    assert holds(condition(field, op, value), OBJECT) is answer
    assert holds_or(condition(field, op, value), OBJECT, True) is answer
    assert holds_or(condition(field, op, value), OBJECT, False) is answer


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("absent", "==", 1),
        ("tool.absent", "any", None),
        ("verdict.deeper", "any", None),
        ("dangerous", "==", "0"),
        ("dangerous", "==", False),
        ("dangerous", "<", "1"),
        ("yes", "<", True),
        ("verdict", "<", "zzz"),  # text has no order
        ("high", "<=", "0.2x"),
        ("high", "<=", "1e-1"),
        ("high", "<=", "00.2"),
        ("ratio", "==", 0.5),  # floats compare with nothing
        ("report", "==", None),
        ("tags", "==", ["a", 1]),
        ("tags", "in", ["a"]),
        ("verdict", "in", "nothing-found"),
        ("verdict", "contains", "nothing"),
        ("tags", "contains", ["a"]),
        ("ratio", "in", [0.5]),
        ("dangerous", "~", 0),
    ],
)
def test_trouble_never_says_yes(field: str, op: str, value: Any) -> None:
    """What has no answer is false where that refuses (a bound) and true where that refuses (a red line)."""
    with pytest.raises(Trouble):
        holds(condition(field, op, value), OBJECT)
    assert not all_hold([condition(field, op, value)], OBJECT, trouble=False)
    assert all_hold([condition(field, op, value)], OBJECT, trouble=True)


@given(st.decimals(-(10**15), 10**15, places=12), st.decimals(-(10**15), 10**15, places=12))
def test_decimals_are_compared_exactly(one: Decimal, other: Decimal) -> None:
    """No rounding: two decimals that differ in the last place differ."""
    value = {"x": f"{one:f}"}
    assert holds(condition("x", "<", f"{other:f}"), value) == (one < other)
    assert holds(condition("x", "==", f"{other:f}"), value) == (one == other)


@pytest.mark.parametrize("text", ["", "-", ".5", "5.", "+1", "1 ", "1\n", "01", "1_0", "٣", "1" * 41, "NaN"])
def test_what_is_no_decimal(text: str) -> None:
    """The protocol's form and no other: no sign but minus, no leading zero, ASCII digits, 40 characters."""
    assert not is_decimal(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["a", "0.5", "in"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["x", "y"]), VALUES), st.sampled_from(["x", "y", "x.y", "z"]),
       st.sampled_from([*sorted(OPS), "~"]), VALUES)  # fmt: skip
def test_any_condition_of_any_object_is_true_false_or_trouble(value: Any, field: str, op: str, wanted: Any) -> None:
    """No other error leaves the grammar, and what lint would refuse outright is in trouble everywhere."""
    one = condition(field, op, wanted)
    try:
        assert holds(one, value) in (True, False)
        # any asks whether the field is there, whatever is beside it; lint says that nothing should be.
        assert wrong_with(one) in (None, "any takes no value")
    except Trouble:
        assert holds_or(one, value, True) and not holds_or(one, value, False)
    assert written(one).startswith(f"{field} {'is present' if op == 'any' else op}")


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [("", "==", 1), ("a..b", "==", 1), ("a", "=", 1), ("a", "any", 1), ("a", "in", []), ("a", "in", [None]),
     ("a", "<", "high"), ("a", "<", True), ("a", "==", 0.5), ("a", "==", None), ("a", "contains", [1]),
     ("a", "==", 2**53)],
)  # fmt: skip
def test_what_no_object_can_answer_is_named(field: str, op: str, value: Any) -> None:
    """Lint sees it before it is ratified."""
    assert wrong_with(condition(field, op, value)) is not None
