"""A gate of an alliance of one, which is quick to open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gate.gated import ALONE, Gated, gated


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Gated]:
    made = gated(tmp_path, ALONE)
    yield made
    made.close()
