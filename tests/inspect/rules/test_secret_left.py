"""Rule secret-left: no key or token is left in a file."""

from __future__ import annotations

from inspect_samples import found, look

from watchword.inspect.facts import Verdict

TOKEN = "hf_" + "QkVzTpLwXbNmRcYdGhJfAsZuEiOqWvKtBn"


def test_a_token_of_a_known_form_is_told() -> None:
    """The token was made for this test and never valid; it is put together to be no token here."""
    told = {(finding.rule, finding.verdict) for finding in look(TOKEN.encode(), "notes.txt").findings}
    assert ("secret-left", Verdict.SUSPICIOUS) in told


def test_a_placeholder_is_silent() -> None:
    """Runs of one character stand for a token in documentation."""
    assert found(b"export HF_TOKEN=hf_" + b"x" * 34, "notes.txt") == set()
