"""Open a catalog: which database, whose, of which version.

* A path is a SQLite file; ``postgresql://…`` a database of its own on a server. Passwords stay out of URLs: libpq reads
  them from ``~/.pgpass`` or ``$PGPASSFILE``.
* A catalog belongs to one member under one charter. Another member's is refused; another charter's is filled anew.
* A newer version of the tables is refused, by name. An older one is brought up by ``steps``, or filled anew.
* A rebuild is one transaction: readers see the old catalog until the new one is whole, also when it is killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from watchword.catalog.schema import INDEXES, META, METADATA, VERSION
from watchword.errors import WatchwordError
from watchword.limits import CATALOG_CACHE_BYTES, CATALOG_WAIT_S_MAX

_LOCK = 0x77_77_63_31
"""Of the writer, among the advisory locks of a PostgreSQL database: any number that nobody else there uses."""


class CatalogTrouble(WatchwordError):
    """A catalog that cannot be opened, or is not of the form that this version writes."""


class NotFilled(CatalogTrouble):
    """A catalog that nothing was put into yet."""


@dataclass(frozen=True)
class Catalog:
    """An open catalog. ``where``: its file or URL, without a password, for people."""

    engine: Engine
    where: str

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state.

        Raises:
            NotFilled: nothing is in it yet. CatalogTrouble: the database.
        """
        with self._translated(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
                # Compiling a query of ours takes longer than it does; and what is sorted fits into memory.
                connection.exec_driver_sql(f"SET LOCAL jit = off; SET LOCAL work_mem = {CATALOG_CACHE_BYTES // 1024}")
            self._check_version(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds whole or not at all; one writer at a time.

        Raises:
            CatalogTrouble: the database.
        """
        with self._translated(), self.engine.connect().execution_options(writes=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield connection
            connection.commit()

    def facts(self, connection: Connection) -> dict[str, str]:
        """What the catalog says of itself: version, member, charter; empty where it was never filled.

        Raises:
            CatalogTrouble: it is of a newer version.
        """
        if not sqlalchemy.inspect(connection).has_table("meta"):
            return {}
        found = {str(row.name): str(row.value) for row in connection.execute(META.select())}
        version = found.get("version", "")
        if version.isdigit() and int(version) > VERSION:
            raise CatalogTrouble(
                f"{self.where}: a catalog of version {version}, this watchword reads {VERSION}",
                "use the newer watchword that made it, or name another database",
            )
        return found

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _check_version(self, connection: Connection) -> None:
        found = self.facts(connection)
        if found.get("version") != str(VERSION):
            raise NotFilled(f"{self.where}: nothing of this version is in this catalog", "watchword catalog update")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise CatalogTrouble(f"{self.where}: {_words(error)}", "watchword catalog rebuild makes it anew") from error


def open_catalog(where: Path | str) -> Catalog:
    """Open a catalog; an empty file is made where none is.

    Args:
        where: a SQLite file, or a URL of PostgreSQL.

    Raises:
        CatalogTrouble: a URL of another database, or its driver is not installed.
    """
    if isinstance(where, Path):
        # What statements say is as private here as in the bodies beside it.
        with suppress(FileNotFoundError):
            os.close(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        engine = sqlalchemy.create_engine(f"sqlite:///{where}", poolclass=NullPool)
        event.listen(engine, "connect", _sqlite)
        event.listen(engine, "begin", _begin)
        return Catalog(engine, str(where))
    try:
        url = make_url(where)
        if url.get_backend_name() != "postgresql":
            raise CatalogTrouble(f"{url.drivername}: not a database for a catalog", "a file, or postgresql://…")
        url = url.set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise CatalogTrouble("that is no URL of a database", "postgresql://USER@HOST/DATABASE") from error
    except ImportError as error:
        raise CatalogTrouble("PostgreSQL needs its driver", "pip install 'watchword[postgresql]'") from error
    return Catalog(engine, url.render_as_string(hide_password=True))


def begin_anew(connection: Connection) -> None:
    """Drop every table of a catalog, and make them empty; ``make_indexes`` ends it."""
    connection.execution_options(anew=True)
    METADATA.drop_all(connection)
    for table in METADATA.sorted_tables:
        connection.execute(sqlalchemy.schema.CreateTable(table))


def make_indexes(connection: Connection) -> None:
    """Make what ``begin_anew`` left out."""
    for index in INDEXES:
        connection.execute(sqlalchemy.schema.CreateIndex(index))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")
    else:
        connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")


def _sqlite(connection: Any, _: Any) -> None:
    # Transactions are begun by ``_begin`` alone: the driver's own would leave out what makes tables.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={int(CATALOG_WAIT_S_MAX * 1000)}",
        f"cache_size={-CATALOG_CACHE_BYTES // 1024}", f"mmap_size={4 * CATALOG_CACHE_BYTES}", "temp_store=MEMORY",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A writer that began as a reader could not go on where another wrote meanwhile.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _words(error: Exception) -> str:
    """The database's own words on one line, without the statement that SQLAlchemy adds."""
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())[:300]
