"""How tables of an older version become those of the next: numbered steps that keep what is there.

* ``STEPS[n]`` makes version n + 1 of version n. All steps to VERSION are gone in one transaction, or none.
* Where a step is missing, or says CannotStep, the catalog is filled anew: everything in it follows from the ledgers.
* After a step the tables, their indexes and all rows are as a rebuild makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateTable

from watchword.catalog.rows import bounded, was_cut
from watchword.catalog.schema import META, VERSION, WAITING
from watchword.ledger.query import package_of


class CannotStep(Exception):
    """What a step needs is not in the tables."""


def to_recalled(connection: Connection) -> None:
    """2 to 3: components are found by the name under which recalls of packages are filed, and by their package URL.

    Raises:
        CannotStep: a package URL was cut, and its package cannot be told any more.
    """
    collation = ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    connection.execute(text(f"ALTER TABLE things ADD COLUMN filed VARCHAR{collation} NOT NULL DEFAULT ''"))
    if collation:
        connection.execute(text("ALTER TABLE things ALTER COLUMN filed DROP DEFAULT"))
    there = connection.execute(text("SELECT id, purl FROM things WHERE purl <> ''")).all()
    if any(was_cut(purl) for _, purl in there):
        raise CannotStep
    filed = [{"id": id, "filed": bounded(package_of(purl)[0])} for id, purl in there]
    if filed:
        connection.execute(text("UPDATE things SET filed = :filed WHERE id = :id"), filed)
    connection.execute(text("CREATE INDEX things_filed ON things (filed)"))
    connection.execute(text("CREATE INDEX things_purl ON things (purl)"))


def to_documented(connection: Connection) -> None:
    """3 to 4: the documents of bills are read; the next filling reads those of the bills that are there."""
    connection.execute(CreateTable(WAITING))
    connection.execute(
        text(
            "INSERT INTO waiting SELECT number, origin, place, '' FROM statements "
            "WHERE kind = 'bill-of-materials' AND counts AND origin <> ''"
        )
    )


def to_linked(connection: Connection) -> None:
    """4 to 5: what a release is one with is found without a look at every edge."""
    connection.execute(text("CREATE INDEX edges_one ON edges (child, parent) WHERE number = 0"))


STEPS: Mapping[int, Callable[[Connection], None]] = {2: to_recalled, 3: to_documented, 4: to_linked}
"""From version 1 there is none: it does not know for whom a statement is."""


def step_up(connection: Connection, version: str) -> bool:
    """Bring tables of *version* to VERSION within a transaction; whether there was a way. Where there was none, what
    they hold is not to be read."""
    if version == str(VERSION):
        return True
    if not version.isdigit():
        return False
    try:
        for at in range(int(version), VERSION):
            if at not in STEPS:
                return False
            STEPS[at](connection)
    except CannotStep:
        return False
    connection.execute(META.update().where(META.c.name == "version").values(value=str(VERSION)))
    return True
