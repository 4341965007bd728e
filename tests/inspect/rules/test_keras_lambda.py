"""Rule keras-lambda: a Keras model carries Python code."""

from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Callable
from typing import Any

from inspect_samples import found, look, zipped

from watchword.inspect.facts import Verdict

NAMED = {"module": "keras.ops", "class_name": "function", "config": "relu", "registered_name": "function"}


def keras(function: object) -> bytes:
    """A ``.keras`` archive with one Lambda layer."""
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}}
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return zipped(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", json.dumps(config).encode()))


def carried(function: Callable[..., object]) -> dict[str, Any]:
    """The bytecode of *function*, as Keras writes it."""
    code = base64.b64encode(marshal.dumps(function.__code__)).decode()
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}


def test_bytecode_that_only_computes_is_suspicious() -> None:
    """A Lambda layer that doubles its input is told, because bytecode can hide what it does."""
    judged = look(keras(carried(lambda x: x * 2)), "m.keras")
    told = {(finding.rule, finding.verdict) for finding in judged.findings}
    assert ("keras-lambda", Verdict.SUSPICIOUS) in told


def test_a_function_of_keras_by_name_is_silent() -> None:
    """A Lambda layer that names a function of Keras carries no code."""
    assert found(keras(NAMED), "m.keras") == set()
