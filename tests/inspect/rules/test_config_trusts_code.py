"""Rule config-trusts-code: a configuration asks to trust the code of what it loads."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_consent_that_comes_with_the_release_is_told() -> None:
    """The release decides what its user should decide."""
    data = b'{"trust_remote_code": true}'
    assert told(data, "config.json") == {("config-trusts-code", Verdict.SUSPICIOUS)}


def test_a_refusal_is_silent() -> None:
    """The same setting that says no takes nothing away."""
    data = b'{"trust_remote_code": false}'
    assert look(data, "config.json").findings == []
