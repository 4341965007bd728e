"""Configurations of Keras as its saver writes them, and archives that hold one."""

from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Callable
from typing import Any

from inspect_samples import zipped


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def archive(config: object) -> bytes:
    """A ``.keras`` archive with this configuration."""
    return zipped(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", json.dumps(config).encode()))


def function(module: str | None, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def lambda_of(value: object, **more: object) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": "Lambda", "config": {"function": value, **more}}


def carried(of: Callable[..., object]) -> dict[str, Any]:
    return {"class_name": "__lambda__", "config": {"code": code(of), "defaults": None, "closure": None}}


def code(of: Callable[..., object]) -> str:
    return base64.b64encode(marshal.dumps(of.__code__)).decode()
