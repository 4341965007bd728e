"""Rule keras-file: a Keras layer reads a file of the machine."""

from __future__ import annotations

import json
from typing import Any

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def saved(layer: dict[str, Any]) -> bytes:
    """A ``.keras`` archive of a model with this layer."""
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return zipped(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", json.dumps(model).encode()))


def test_a_vocabulary_from_elsewhere_on_the_machine_is_told() -> None:
    """The words of the layer would be the accounts of the machine."""
    data = saved({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}})
    assert {(f.rule, f.verdict) for f in look(data, "m.keras").findings} == {("keras-file", Verdict.DANGEROUS)}


def test_a_word_that_looks_like_a_path_is_silent() -> None:
    """In a list of words it is a word."""
    data = saved({"class_name": "StringLookup", "config": {"vocabulary": ["/etc/passwd"]}})
    assert look(data, "m.keras").findings == []
