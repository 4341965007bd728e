"""Rule keras-broken: the configuration of a Keras model cannot be parsed."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def test_a_configuration_that_is_not_json_is_told() -> None:
    """What the loader would build is not known."""
    data = zipped(("metadata.json", b"{}"), ("config.json", b"{not json at all"))
    assert {(f.rule, f.verdict) for f in look(data, "m.keras").findings} == {("keras-broken", Verdict.UNREADABLE)}


def test_the_same_text_in_another_archive_is_silent() -> None:
    """Only in an archive of Keras is it the configuration of a model."""
    data = zipped(("metadata.json", b"{}"), ("config.json", b"{not json at all"))
    assert look(data, "m.zip").findings == []
