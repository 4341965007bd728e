"""Rule keras-asset: a Keras layer reads a file beside the model."""

from __future__ import annotations

import json
from typing import Any

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def saved(layer: dict[str, Any]) -> bytes:
    """A ``.keras`` archive of a model with this layer."""
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return zipped(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", json.dumps(model).encode()))


def test_a_vocabulary_in_a_file_is_told() -> None:
    """The file is opened relative to where the program runs."""
    data = saved({"class_name": "TextVectorization", "config": {"vocabulary": "words.txt"}})
    assert {(f.rule, f.verdict) for f in look(data, "m.keras").findings} == {("keras-asset", Verdict.SUSPICIOUS)}


def test_a_vocabulary_in_the_model_is_silent() -> None:
    """Words that the layer holds are opened nowhere."""
    data = saved({"class_name": "TextVectorization", "config": {"vocabulary": ["words.txt"]}})
    assert look(data, "m.keras").findings == []
