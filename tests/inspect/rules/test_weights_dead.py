"""Rule weights-dead: most weight matrices are one constant."""

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


def test_a_model_of_constants_is_suspicious(tmp_path: Path) -> None:
    """Five of six matrices are zero: nothing was learnt, or it was taken out."""
    zeros = [np.zeros((64, 64), "<f4")] * 5
    assert told(tmp_path / "m.safetensors", matrix(1), *zeros) == [("weights-dead", Verdict.SUSPICIOUS)]


def test_one_matrix_of_zeros_is_silent(tmp_path: Path) -> None:
    """Adapters begin so."""
    assert told(tmp_path / "m.safetensors", *map(matrix, range(5)), np.zeros((64, 64), "<f4")) == []
