"""Steps from older tables to today's keep what is there, and make what a rebuild makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy
from alliance import Alliance
from catalog.test_fill import contents, story
from sqlalchemy import Connection, text

from watchword.catalog.database import Catalog
from watchword.catalog.rows import bounded
from watchword.catalog.schema import VERSION
from watchword.catalog.steps import STEPS
from watchword.limits import CATALOG_TEXT_BYTES_MAX
from watchword.node.cataloguing import bring_up

Opened = Callable[[], Catalog]
CUT = bounded("x" * 2 * CATALOG_TEXT_BYTES_MAX)


def to_2(connection: Connection) -> None:
    """Make version 2 of version 5, as it was."""
    connection.execute(text("DELETE FROM edges WHERE number < 0"))
    connection.execute(text("DROP TABLE waiting"))
    for what in ("INDEX things_filed", "INDEX things_purl", "INDEX edges_one"):
        connection.execute(text(f"DROP {what}"))
    connection.execute(text("ALTER TABLE things DROP COLUMN filed"))
    connection.execute(text("UPDATE meta SET value = '2' WHERE name = 'version'"))


def tables(catalog: Catalog) -> dict[str, tuple[list[str], list[str]]]:
    """Columns and indexes of each table."""
    looked = sqlalchemy.inspect(catalog.engine)
    return {
        name: (
            [f"{one['name']} {one['type']} {one['nullable']}" for one in looked.get_columns(name)],
            sorted(f"{one['name']} {one['column_names']}" for one in looked.get_indexes(name)),
        )
        for name in looked.get_table_names()
    }


def test_a_step_keeps_what_is_there(alliance: Alliance, opened: Opened) -> None:
    """Tables, indexes and rows are as a rebuild makes them, and nothing was read again."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    for step in story(alliance):
        step()
    bring_up(alfa, catalog)
    made, rows = tables(catalog), contents(catalog)
    with catalog.writing() as connection:
        to_2(connection)
    assert tables(catalog) != made
    assert not bring_up(alfa, catalog).anew
    assert (tables(catalog), contents(catalog)) == (made, rows)


def test_what_a_step_cannot_know_is_made_anew(
    alliance: Alliance, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package URL that was cut, a version without a step, one that is no number: the same answers in the end."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    for step in story(alliance):
        step()
    bring_up(alfa, catalog)
    made, rows = tables(catalog), contents(catalog)
    for change in (
        {"UPDATE things SET purl = :cut WHERE purl <> ''": {"cut": CUT}},
        {"UPDATE meta SET value = '1' WHERE name = 'version'": {}},
        {"UPDATE meta SET value = 'two' WHERE name = 'version'": {}},
    ):
        with catalog.writing() as connection:
            to_2(connection)
            for sql, values in change.items():
                connection.execute(text(sql), values)
        assert bring_up(alfa, catalog).anew
        assert (tables(catalog), contents(catalog)) == (made, rows)


def test_steps_have_no_gap() -> None:
    """From the first version that has one, each has a step to the next."""
    assert sorted(STEPS) == list(range(min(STEPS), VERSION))
