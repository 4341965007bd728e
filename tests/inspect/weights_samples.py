"""Layers of weights as a safetensors file, and what is found in their numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_samples import safetensors

from watchword.inspect import Verdict, inspect_path

np = pytest.importorskip("numpy")


def told(path: Path, *arrays: Any) -> list[tuple[str, Verdict]]:
    """What is found in the weights of layers that hold *arrays*."""
    header, body = {}, b""
    for number, array in enumerate(arrays):
        place = [len(body), len(body) + array.nbytes]
        header[f"layers.{number}.weight"] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": place}
        body += array.tobytes()
    path.write_bytes(safetensors(json.dumps(header).encode(), body))
    return [(f.rule, f.verdict) for f in inspect_path(path, weights=True).findings]


def matrix(seed: int) -> Any:
    return np.random.default_rng(seed).normal(0, 0.02, (64, 64)).astype("<f4")
