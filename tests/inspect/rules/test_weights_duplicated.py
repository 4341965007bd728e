"""Rule weights-duplicated: layers that differ in their number hold the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from weights_samples import matrix, told

from watchword.inspect import Verdict

np = pytest.importorskip("numpy")


def test_a_copied_layer_is_suspicious(tmp_path: Path) -> None:
    """One of four layers is a copy of another while their siblings differ."""
    assert told(tmp_path / "m.safetensors", *map(matrix, (0, 1, 2, 0))) == [("weights-duplicated", Verdict.SUSPICIOUS)]


def test_fresh_copies_of_one_layer_are_silent(tmp_path: Path) -> None:
    """All four are equal, as some frameworks initialise."""
    assert told(tmp_path / "m.safetensors", *map(matrix, (0, 0, 0, 0))) == []
