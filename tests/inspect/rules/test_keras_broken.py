"""Rule keras-broken: the configuration of a Keras model cannot be parsed."""

from __future__ import annotations

from inspect_samples import look, told, zipped

from watchword.inspect.facts import Verdict


def test_a_configuration_that_is_not_json_is_told() -> None:
    """What the loader would build is not known."""
    data = zipped(("metadata.json", b"{}"), ("config.json", b"{not json at all"))
    assert told(data, "m.keras") == {("keras-broken", Verdict.UNREADABLE)}


def test_the_same_text_in_another_archive_is_silent() -> None:
    """Only in an archive of Keras is it the configuration of a model."""
    data = zipped(("metadata.json", b"{}"), ("config.json", b"{not json at all"))
    assert look(data, "m.zip").findings == []
