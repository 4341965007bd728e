"""Three members who have exchanged once, made once per run and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import Alliance, copy_alliance, make_alliance, quick_disk


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("template") / "alliance", ("ALFA", "BRAVO", "CHARLIE"))
        made.sync()
        made.close()
    return made


@pytest.fixture
def alliance(template: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    with quick_disk():
        copy = copy_alliance(template, tmp_path / "alliance")
        yield copy
        copy.close()


@pytest.fixture
def wary(tmp_path: Path) -> Iterator[Alliance]:
    """Three members of whom one may be dishonest: a head needs all three."""
    with quick_disk():
        made = make_alliance(tmp_path / "wary", ("ALFA", "BRAVO", "CHARLIE"), faulty=1)
        made.sync()
        yield made
        made.close()
