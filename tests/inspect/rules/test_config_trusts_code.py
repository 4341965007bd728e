"""Rule config-trusts-code: a configuration asks to trust the code of what it loads."""

from __future__ import annotations

from inspect_samples import look

from watchword.inspect.facts import Verdict


def test_a_consent_that_comes_with_the_release_is_told() -> None:
    """The release decides what its user should decide."""
    data = b'{"trust_remote_code": true}'
    assert {(f.rule, f.verdict) for f in look(data, "config.json").findings} == {
        ("config-trusts-code", Verdict.SUSPICIOUS)
    }


def test_a_refusal_is_silent() -> None:
    """The same setting that says no takes nothing away."""
    data = b'{"trust_remote_code": false}'
    assert look(data, "config.json").findings == []
