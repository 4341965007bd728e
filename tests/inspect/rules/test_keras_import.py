"""Rule keras-import: a Keras model makes its loader reach beyond Keras."""

from __future__ import annotations

import json
from typing import Any

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def saved(layer: dict[str, Any]) -> bytes:
    """A ``.keras`` archive of a model with this layer."""
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return zipped(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", json.dumps(model).encode()))


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def test_a_lambda_that_runs_commands_is_told() -> None:
    """The loader would import ``os`` and call ``system``."""
    data = saved({"class_name": "Lambda", "config": {"function": function("os", "system")}})
    assert {(f.rule, f.verdict) for f in look(data, "m.keras").findings} == {("keras-import", Verdict.DANGEROUS)}


def test_a_lambda_that_computes_is_silent() -> None:
    """Functions of Keras itself compute."""
    data = saved({"class_name": "Lambda", "config": {"function": function("keras.ops", "relu")}})
    assert look(data, "m.keras").findings == []
