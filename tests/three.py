"""Fixtures of an alliance for the rooms that ask for one; a room imports them into its ``conftest``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import Alliance, copy_alliance, make_alliance, quick_disk


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    """Three members who have exchanged once, made once per run; a room that begins elsewhere has its own."""
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("template") / "alliance", ("ALFA", "BRAVO", "CHARLIE"))
        made.sync()
        made.close()
    return made


@pytest.fixture
def alliance(template: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    """A copy of the room's template for each test."""
    with quick_disk():
        copy = copy_alliance(template, tmp_path / "alliance")
        yield copy
        copy.close()
