"""Rule keras-custom-function: a Lambda layer calls a function that is not in the file."""

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


def test_a_lambda_that_calls_a_function_from_elsewhere_is_told() -> None:
    """What ``acme.losses.scale`` does is not in the file."""
    data = saved({"class_name": "Lambda", "config": {"function": function("acme.losses", "scale")}})
    assert {(f.rule, f.verdict) for f in look(data, "m.keras").findings} == {
        ("keras-custom-function", Verdict.SUSPICIOUS)
    }


def test_an_activation_of_ones_own_is_silent() -> None:
    """Custom activations are how models of one's own look."""
    data = saved({"class_name": "Dense", "config": {"activation": function("acme.layers", "swishy")}})
    assert look(data, "m.keras").findings == []
