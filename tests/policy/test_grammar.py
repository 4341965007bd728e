"""Conditions in a cell: what is written reads back, and what is no condition is named."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.policy import grammar
from watchword.policy.grammar import BadCondition

WORDS = st.text(max_size=20) | st.sampled_from(["true", "null", "0.20", "5", "in"])
SCALARS = WORDS | st.integers(-(2**53), 2**53) | st.booleans()
VALUES = st.none() | SCALARS | st.lists(SCALARS, max_size=3) | st.lists(st.lists(SCALARS, max_size=2), max_size=2)
OPS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "any", "is", "and", "=", ""])
FIELDS = st.sampled_from(["a", "a.b", "and", "is", ""]) | st.text(max_size=20)
CONDITION = st.fixed_dictionaries({"field": FIELDS, "op": OPS | st.text(max_size=6), "value": VALUES})
CONDITIONS = st.lists(CONDITION, max_size=4)


@settings(max_examples=400)
@given(CONDITIONS)
def test_what_is_written_reads_back(conditions: list[dict[str, Any]]) -> None:
    """No condition changes on its way through a cell, whatever its field, operator and value."""
    assert grammar.read(grammar.written(conditions)) == conditions


@settings(max_examples=200)
@given(st.lists(st.text(max_size=20), max_size=4))
def test_a_list_of_words_reads_back(words: list[str]) -> None:
    """No text in a list changes on its way through a cell."""
    assert grammar.read_words(grammar.words(words)) == words


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_conditions_or_a_named_error(text: str) -> None:
    """A cell never crashes the reader."""
    try:
        grammar.read(text)
    except BadCondition as error:
        assert error.message


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("verdict == nothing-found", [{"field": "verdict", "op": "==", "value": "nothing-found"}]),
        ('high<="0.20"', [{"field": "high", "op": "<=", "value": "0.20"}]),
        ("a > -1 and b < 9", [{"field": "a", "op": ">", "value": -1}, {"field": "b", "op": "<", "value": 9}]),
        ("high <= 0.20", [{"field": "high", "op": "<=", "value": "0.20"}]),
        ('outcome in ["in favour", against]', [{"field": "outcome", "op": "in", "value": ["in favour", "against"]}]),
        ("report is present", [{"field": "report", "op": "any", "value": None}]),
        ("members contains ALFA", [{"field": "members", "op": "contains", "value": "ALFA"}]),
        ("flag == true", [{"field": "flag", "op": "==", "value": True}]),
    ],
)
def test_a_cell_reads_as_people_write_it(text: str, means: list[dict[str, Any]]) -> None:
    """Words bare, decimals bare, lists in brackets."""
    assert grammar.read(text) == means


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("verdict", "an operator"),
        ("verdict = x", "an operator"),
        ("verdict like x", "no operator"),
        ("verdict == ", "a value"),
        ("verdict == a b", "'and'"),
        ("verdict == 01", "a value"),
        ("verdict == [a, b", "','"),
        ('verdict == "a', "a value"),
        ("verdict == [[[[[[[[[a]]]]]]]]]", "a value"),
        ("verdict is there", "'present'"),
        ("== x", "a field"),
    ],
)
def test_what_is_no_condition_is_named(text: str, named: str) -> None:
    """The error says what was expected."""
    with pytest.raises(BadCondition, match=named):
        grammar.read(text)


@pytest.mark.parametrize("value", [0.5, {"a": 1}, [None], 10**30])
def test_a_value_that_no_cell_holds_is_refused(value: Any) -> None:
    """It is not written as something else."""
    with pytest.raises(BadCondition, match="has no place"):
        grammar.written([{"field": "a", "op": "==", "value": value}])


def test_a_long_cell_is_read_in_time() -> None:
    """Linear: 60,000 characters of whatever are refused, or read, within a second of work."""
    began = time.process_time()
    for text in ('"' * 60_000, "[" * 60_000, "a == b and " * 5_000, "\\" * 60_000, " " * 60_000 + "x"):
        with pytest.raises(BadCondition):
            grammar.read(text)
    assert len(grammar.read("a == b and " * 5_000 + "a == b")) == 5_001
    assert time.process_time() - began < 1
