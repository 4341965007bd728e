"""Rule python-limit: a source that takes more work than is done is not passed over."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_source_too_deep_to_parse_is_told() -> None:
    """Ten thousand signs in a row nest deeper than is followed."""
    assert ("python-limit", Verdict.SUSPICIOUS) in told(b"x = " + b"-" * 9999 + b"1\n", "shipped.py")


def test_a_long_table_is_silent() -> None:
    """A source may be long, as tables are, without being deep."""
    assert found(b"x = " + b"-" * 20 + b"1\n" + b"y = [" + b"1, " * 9999 + b"]\n", "shipped.py") == set()
