"""Three members who have exchanged once, made once per run and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import Alliance, make_alliance, quick_disk
from three import alliance as alliance
from three import template as template


@pytest.fixture
def wary(tmp_path: Path) -> Iterator[Alliance]:
    """Three members of whom one may be dishonest: a head needs all three."""
    with quick_disk():
        made = make_alliance(tmp_path / "wary", ("ALFA", "BRAVO", "CHARLIE"), faulty=1)
        made.sync()
        yield made
        made.close()
