"""A catalog in each database: SQLite, and PostgreSQL in a private cluster of an unprivileged user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from benchmarks.catalog.server import Server, installed, new_database, private_server
from three import alliance as alliance
from three import template as template

from watchword.catalog.database import Catalog, open_catalog

_NUMBERS = count()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Server]:
    """A running PostgreSQL server that is nobody else's."""
    if not installed():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with private_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new catalog can be."""
    if request.param == "sqlite":
        return tmp_path / "catalog.db"
    return new_database(str(request.getfixturevalue("cluster").folder), f"db{next(_NUMBERS)}")


@pytest.fixture
def opened(where: Path | str) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog, as often as it is called."""
    made: list[Catalog] = []

    def again() -> Catalog:
        made.append(open_catalog(where))
        return made[-1]

    yield again
    for catalog in made:
        catalog.close()
