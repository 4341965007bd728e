"""Rule keras-lambda-call: a Keras model carries Python code that reaches beyond computing."""

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


def test_bytecode_that_starts_a_program_is_dangerous() -> None:
    """A Lambda layer whose bytecode imports os and calls system is told."""
    judged = look(keras(carried(lambda x: __import__("os").system("true"))), "m.keras")
    told = {(finding.rule, finding.verdict) for finding in judged.findings}
    assert ("keras-lambda-call", Verdict.DANGEROUS) in told


def test_what_only_computes_is_not_said_to_reach_beyond() -> None:
    """Bytecode that doubles its input is another rule's business, and a function of Keras is nobody's."""
    assert "keras-lambda-call" not in found(keras(carried(lambda x: x * 2)), "m.keras")
    assert found(keras(NAMED), "m.keras") == set()
