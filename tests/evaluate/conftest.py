from __future__ import annotations

import os
from pathlib import Path

import pytest

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).parents[3] / "shared" / "vectors"))


@pytest.fixture
def reports() -> Path:
    """Reports of other tools, as their own repositories ship them."""
    folder = VECTORS / "reports"
    if not folder.is_dir():
        pytest.skip("sample reports are absent; set WATCHWORD_VECTORS")
    return folder
