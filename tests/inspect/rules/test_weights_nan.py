"""Rule weights-nan: weights that are no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from weights_samples import matrix, told

from watchword.inspect import Verdict

np = pytest.importorskip("numpy")


def test_one_that_is_no_number_is_suspicious(tmp_path: Path) -> None:
    """A single NaN in a matrix is found."""
    bad = matrix(1)
    bad[3, 3] = np.nan
    assert told(tmp_path / "m.safetensors", bad) == [("weights-nan", Verdict.SUSPICIOUS)]


def test_a_mask_of_infinities_is_silent(tmp_path: Path) -> None:
    """Minus infinity above the diagonal is how attention is masked."""
    mask = np.where(np.triu(np.ones((64, 64)), 1) > 0, -np.inf, 0).astype("<f4")
    assert told(tmp_path / "m.safetensors", matrix(1), mask) == []
