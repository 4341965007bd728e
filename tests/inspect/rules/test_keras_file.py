"""Rule keras-file: a Keras layer reads a file of the machine."""

from __future__ import annotations

from inspect_samples import look, told
from keras_samples import archive, model

from watchword.inspect.facts import Verdict


def test_a_vocabulary_from_elsewhere_on_the_machine_is_told() -> None:
    """The words of the layer would be the accounts of the machine."""
    data = archive(model({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}))
    assert told(data, "m.keras") == {("keras-file", Verdict.DANGEROUS)}


def test_a_word_that_looks_like_a_path_is_silent() -> None:
    """In a list of words it is a word."""
    data = archive(model({"class_name": "StringLookup", "config": {"vocabulary": ["/etc/passwd"]}}))
    assert look(data, "m.keras").findings == []
