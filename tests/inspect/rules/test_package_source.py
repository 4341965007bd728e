"""Rule package-source: packages are taken from a source that nobody vouches for."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_repository_without_encryption_is_suspicious() -> None:
    """What is fetched over plain HTTP can be changed on the way."""
    assert ("package-source", Verdict.SUSPICIOUS) in told(b"git+http://a.example/x.git\n", "requirements.txt")


def test_a_pinned_list_is_silent() -> None:
    """Names with versions, and a comment about an option, are an ordinary list."""
    assert found(b"torch==2.1.0\n# --trusted-host a.example\n", "requirements.txt") == set()
