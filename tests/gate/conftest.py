from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate.gated import FAST, Gated, gated


@pytest.fixture
def here() -> Iterator[Gated]:
    """A gate at ALFA, fresh for each test."""
    with tempfile.TemporaryDirectory(prefix="watchword-gate-", dir=FAST) as folder:
        one = gated(Path(folder))
        yield one
        one.close()
