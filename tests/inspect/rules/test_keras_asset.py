"""Rule keras-asset: a Keras layer reads a file beside the model."""

from __future__ import annotations

from inspect_samples import look, told
from keras_samples import archive, model

from watchword.inspect.facts import Verdict


def test_a_vocabulary_in_a_file_is_told() -> None:
    """The file is opened relative to where the program runs."""
    data = archive(model({"class_name": "TextVectorization", "config": {"vocabulary": "words.txt"}}))
    assert told(data, "m.keras") == {("keras-asset", Verdict.SUSPICIOUS)}


def test_a_vocabulary_in_the_model_is_silent() -> None:
    """Words that the layer holds are opened nowhere."""
    data = archive(model({"class_name": "TextVectorization", "config": {"vocabulary": ["words.txt"]}}))
    assert look(data, "m.keras").findings == []
