"""Rule pickle-limit: the pickle is larger or stranger than watchword follows."""

from __future__ import annotations

import pytest
from inspect_samples import found, told

from watchword.inspect.facts import Verdict
from watchword.inspect.pickles import opcodes


def test_a_stack_above_the_bound_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that only piles up lists ends at the bound, here a thousand."""
    monkeypatch.setattr(opcodes, "PICKLE_STACK_MAX", 1_000)
    assert ("pickle-limit", Verdict.UNREADABLE) in told(b"\x80\x04" + b"]" * 1_100 + b"0" * 1_099 + b".", "m.pkl")


def test_a_stack_below_the_bound_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same below the bound is a pickle like any other."""
    monkeypatch.setattr(opcodes, "PICKLE_STACK_MAX", 1_000)
    assert found(b"\x80\x04" + b"]" * 900 + b"0" * 899 + b".", "m.pkl") == set()
