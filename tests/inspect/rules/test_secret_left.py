"""Rule secret-left: no key or token is left in a file."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict

TOKEN = "hf_" + "QkVzTpLwXbNmRcYdGhJfAsZuEiOqWvKtBn"


def test_a_token_of_a_known_form_is_told() -> None:
    """The token was made for this test and never valid; it is put together to be no token here."""
    assert ("secret-left", Verdict.SUSPICIOUS) in told(TOKEN.encode(), "notes.txt")


def test_a_placeholder_is_silent() -> None:
    """Runs of one character stand for a token in documentation."""
    assert found(b"export HF_TOKEN=hf_" + b"x" * 34, "notes.txt") == set()


def test_a_key_without_a_form_is_known_by_its_name_in_a_file_and_in_an_environment() -> None:
    """An AWS secret key looks like any 40 characters; what names it stands in lower case in files, upper in .env."""
    key = "hJ8s0dKq3VxW2pLm" + "N7tRzY5bCfGh1aQeUoIk4XvB"
    for name in ("aws_secret_access_key = ", "AWS_SECRET_ACCESS_KEY="):
        assert "secret-left" in found((name + key).encode(), "settings.env"), name
        assert found((name + "x" * 40).encode(), "settings.env") == set(), name
