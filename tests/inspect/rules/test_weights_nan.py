"""Rule weights-nan: weights that are no numbers."""

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


def test_one_that_is_no_number_is_suspicious(tmp_path: Path) -> None:
    """A single NaN in a matrix is found."""
    bad = matrix(1)
    bad[3, 3] = np.nan
    assert told(tmp_path / "m.safetensors", bad) == [("weights-nan", Verdict.SUSPICIOUS)]


def test_a_mask_of_infinities_is_silent(tmp_path: Path) -> None:
    """Minus infinity above the diagonal is how attention is masked."""
    mask = np.where(np.triu(np.ones((64, 64)), 1) > 0, -np.inf, 0).astype("<f4")
    assert told(tmp_path / "m.safetensors", matrix(1), mask) == []
