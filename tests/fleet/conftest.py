"""Hubs and crews for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleet.hubs import Look, small_hub

from watchword.fleet import State, inspect_fleet, releases
from watchword.fleet.crew import Crew, Processes
from watchword.fleet.run import Looked
from watchword.inspect.file import How


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """``small_hub``, in a folder called ``hub``."""
    return small_hub(tmp_path / "hub")


@pytest.fixture
def look() -> Look:
    """``look(address, depth=1, state=None, crew=None, how=How())``: the outcomes, and the inspections as bytes."""

    def looked(
        address: str, depth: int = 1, state: Path | None = None, crew: Crew | None = None, how: How | None = None
    ) -> tuple[list[Looked], list[bytes]]:
        how = how or How()
        crew = crew or Processes(1, how)
        try:
            with State(state) as kept:
                outcome = inspect_fleet(releases(address, depth), how, crew, kept)
                return outcome, [kept.body(one.place) for one in outcome]
        finally:
            crew.close()

    return looked
