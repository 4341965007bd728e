"""Rule weights-duplicated: layers that differ in their number hold the same numbers."""

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


def test_a_copied_layer_is_suspicious(tmp_path: Path) -> None:
    """One of four layers is a copy of another while their siblings differ."""
    assert told(tmp_path / "m.safetensors", *map(matrix, (0, 1, 2, 0))) == [("weights-duplicated", Verdict.SUSPICIOUS)]


def test_fresh_copies_of_one_layer_are_silent(tmp_path: Path) -> None:
    """All four are equal, as some frameworks initialise."""
    assert told(tmp_path / "m.safetensors", *map(matrix, (0, 0, 0, 0))) == []
