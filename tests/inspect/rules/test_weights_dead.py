"""Rule weights-dead: most weight matrices are one constant."""

from __future__ import annotations

from pathlib import Path

import pytest
from weights_samples import matrix, told

from watchword.inspect import Verdict

np = pytest.importorskip("numpy")


def test_a_model_of_constants_is_suspicious(tmp_path: Path) -> None:
    """Five of six matrices are zero: nothing was learnt, or it was taken out."""
    zeros = [np.zeros((64, 64), "<f4")] * 5
    assert told(tmp_path / "m.safetensors", matrix(1), *zeros) == [("weights-dead", Verdict.SUSPICIOUS)]


def test_one_matrix_of_zeros_is_silent(tmp_path: Path) -> None:
    """Adapters begin so."""
    assert told(tmp_path / "m.safetensors", *map(matrix, range(5)), np.zeros((64, 64), "<f4")) == []
