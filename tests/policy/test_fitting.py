"""What good evidence looks like is built from the kinds themselves, and passes their parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.charter.charter import Condition
from watchword.charter.conditions import all_hold
from watchword.policy.fitting import fitting, plausible
from watchword.statements.kinds import KINDS
from watchword.statements.statement import Subject, make

ABOUT = Subject("release", "sha256:" + "9c" * 32)


def condition(field: str, op: str, value: Any = None) -> Condition:
    return Condition(field=field, op=op, value=value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_of_every_kind_is_a_statement_of_it(kind: str) -> None:
    """No kind needs a template of its own, and a new one is covered the day it is added."""
    made = make(kind, (ABOUT,), plausible(kind), issuer="ALFA", made=datetime(2026, 1, 1, tzinfo=UTC))
    assert made.kind == kind


@pytest.mark.parametrize(
    ("kind", "conditions", "field", "value"),
    [
        ("inspection", [condition("verdict", "==", "nothing-found")], "verdict", "nothing-found"),
        ("inspection", [condition("files", ">", 10), condition("files", "<=", 11)], "files", 11),
        ("evaluation", [condition("high", "<", "0.05"), condition("high", ">", "0.04")], "high", "0.049"),
        ("review", [condition("of", "in", ["red-team"])], "of", "red-team"),
        ("recall", [condition("actions", "contains", "stop")], "actions", ["stop"]),
        ("data-screening", [condition("dataset", "!=", "")], "dataset", "not "),
    ],
)
def test_a_field_is_chosen_that_satisfies_all_its_conditions(
    kind: str, conditions: list[Condition], field: str, value: Any
) -> None:
    """The plainest value that does."""
    found = fitting(kind, conditions)
    assert found is not None and found[field] == value


@pytest.mark.parametrize(
    ("kind", "conditions"),
    [
        ("review", [condition("of", "==", "legal"), condition("of", "==", "red-team")]),
        ("evaluation", [condition("high", "<=", "0.1"), condition("high", ">", "0.2")]),
        ("inspection", [condition("colour", "==", "red")]),
        ("inspection", [condition("verdict", "==", "splendid")]),
        ("inspection", [condition("files", "~", 3)]),
        ("inspection", [condition("files", "<", 0)]),
        ("inspection", [condition("files", ">", 2**53 - 1)]),
    ],
)
def test_what_no_statement_can_satisfy_has_none(kind: str, conditions: list[Condition]) -> None:
    """Bounds that exclude each other, fields and words that the kind has not, operators that nobody knows."""
    assert fitting(kind, conditions) is None


FIELDS = st.sampled_from(["high", "low", "k", "n", "method", "tool.name", "threat.goal", "nothing", "a.b"])
VALUES = st.one_of(st.integers(-5, 5), st.sampled_from(["0.1", "0.25", "x", None, [1, "x"]]), st.booleans())
OPS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "any", "~"])


@given(st.lists(st.builds(condition, FIELDS, OPS, VALUES), max_size=4))
def test_what_is_built_satisfies_what_was_asked(conditions: list[Condition]) -> None:
    """Whatever the conditions are: none is overlooked, and hostile ones raise nothing."""
    found = fitting("evaluation", conditions)
    if found is not None:
        assert all_hold(conditions, found, trouble=False)
        make("evaluation", (ABOUT,), found, issuer="ALFA", made=datetime(2026, 1, 1, tzinfo=UTC))
