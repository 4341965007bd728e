"""Take statements into a catalog: all of them, or what came since.

* The same statements give the same answers, in whatever order and in however many steps they were taken in.
* A release is called what the least of its sayings calls it: by rank (``rows.RANKS``), time and id.
* Two things are one, and an edge says so, where a release is what another lists: by its digest, or, for a base model,
  by the system's or release's name, without regard to case. Such an edge can say too much, by a stranger's choice of
  a name; it must not say too little.
* Loose notices are few and come and go: they are taken in anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Table, delete, func, select

from watchword.catalog.documents import components_of
from watchword.catalog.rows import (
    BARE,
    Entry,
    Thing,
    bounded,
    case_columns,
    document_of,
    end_row,
    notice_row,
    parts,
    release_of,
    sayings,
    scope_columns,
    thing_row,
    use_row,
)
from watchword.catalog.schema import (
    EDGES,
    ENDS,
    LEDGERS,
    META,
    NOTICES,
    SAID,
    STATEMENTS,
    SUBJECTS,
    THINGS,
    UNREAD,
    USES,
    VERSION,
    WAITING,
)
from watchword.limits import CATALOG_BATCH, CATALOG_THINGS_KEPT_MAX
from watchword.statements.digests import D
from watchword.statements.statement import Statement

_KEYS_ASKED = 900
"""Keys in one query. Origin: builds of SQLite take 999 variables and more."""

Places = set[tuple[str, int]]


@dataclass(frozen=True)
class Position:
    """How far ledgers were read: size and last commitment (hex) by origin, and the places of bodies not held."""

    ledgers: Mapping[str, tuple[int, str]]
    unread: Places


def position(connection: Connection) -> Position:
    """How far a catalog goes."""
    ledgers = {row.origin: (row.size, row.last) for row in connection.execute(LEDGERS.select())}
    return Position(ledgers, {(row.origin, row.place) for row in connection.execute(UNREAD.select())})


class Filling:
    """One transaction's work: ``take`` what there is, then ``end``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._forget_loose()
        self._first = self._number = self._after(STATEMENTS.c.number)
        self._first_thing = self._thing = self._after(THINGS.c.id)
        self._ids: dict[Thing, int] = {}
        self._all_in_memory = self._thing == 1

    @property
    def taken(self) -> int:
        """How many statements were taken in."""
        return self._number - self._first

    def take(self, entries: Iterable[Entry]) -> None:
        """Take in statements that are not there yet, in batches."""
        batch: list[Entry] = []
        weight = 0
        for entry in entries:
            batch.append(entry)
            weight += 1 + len(entry.statement.predicate.get("components", ())) if entry.counts else 1
            if weight >= CATALOG_BATCH:
                self._take(batch)
                batch, weight = [], 0
        self._take(batch)

    def end(self, at: Position, facts: Mapping[str, str], use_case: Callable[[str], Mapping[str, Any] | None]) -> None:
        """Put down what follows from all that was taken, and how far the ledgers were read.

        Args:
            facts: what the catalog is to say of itself, besides its version.
            use_case: a use case by its digest, where it is held; asked for those that were not held before.
        """
        connection = self._connection
        for statement in (*_NAMED, *_LINKED):
            connection.execute(sqlalchemy.text(statement), {"number": self._first, "thing": self._first_thing})
        missing = select(USES.c.use_case).where(USES.c.criticality == -1, USES.c.use_case != "").distinct()
        for digest in connection.scalars(missing).all():
            if (case := use_case(digest)) is not None:
                told = dict(zip(("name", "owner", "criticality", "members"), case_columns(case), strict=True))
                connection.execute(USES.update().where(USES.c.use_case == digest).values(told))
        for table in (LEDGERS, UNREAD, META):
            connection.execute(delete(table))
        put(connection, LEDGERS, [(origin, size, last) for origin, (size, last) in at.ledgers.items()])
        put(connection, UNREAD, sorted(at.unread))
        put(connection, META, sorted({"version": str(VERSION), **facts}.items()))

    def take_late(self, documents: Iterable[tuple[int, Entry]]) -> None:
        """Take in documents of bills that were taken in before, by their numbers, where they are held now."""
        for number, entry in documents:
            if entry.document is None:
                named = document_of(entry.statement)
                self._connection.execute(WAITING.update().where(WAITING.c.number == number).values(document=named))
                continue
            listed = set(components_of(entry.document)) - set(parts(entry.statement))
            releases = {saying.release for saying in sayings(entry.statement)}
            ids = self._known({thing: None for thing in (*listed, *releases)})
            edges = sorted((ids[part], ids[release], -number) for part in listed for release in releases)
            put(self._connection, EDGES, edges)
            self._connection.execute(delete(WAITING).where(WAITING.c.number == number))

    def _take(self, batch: Sequence[Entry]) -> None:
        statements: list[tuple[Any, ...]] = []
        subjects: list[tuple[Any, ...]] = []
        notices: list[tuple[Any, ...]] = []
        ends: list[tuple[int, str, str]] = []
        uses: list[tuple[int, Thing, tuple[Any, ...]]] = []
        said = []
        made: list[tuple[int, Iterable[Thing], set[Thing]]] = []
        waiting: list[tuple[int, str, int, str]] = []
        for number, entry in enumerate(batch, self._number):
            statement, key, origin, place, locator, counts, _, keeper, attached = entry
            statements.append(
                (
                    number, D(statement.payload), origin, place, locator, *_said(statement, key, counts), counts,
                    keeper, *scope_columns(statement),
                )
            )  # fmt: skip
            for at, one in enumerate(statement.subject):
                subjects.append((number, at, one.digest, bounded(one.name)))
            if not counts:
                continue
            here = {saying.release: saying for saying in sayings(statement)}
            said += [(saying, number) for saying in here.values()]
            if statement.kind in BARE:
                continue
            made_of = set(parts(statement)) if here else set()
            made.append((number, here, made_of))
            if document := document_of(statement):
                if attached is None:
                    waiting.append((number, origin, place, document))
                else:
                    made.append((-number, here, set(components_of(attached)) - made_of))
            if (use := use_row(entry)) is not None:
                uses.append((number, release_of(statement.subject[0].digest), use))
            if (notice := notice_row(statement)) is not None:
                notices.append((number, *notice))
            if (end := end_row(statement)) is not None:
                ends.append((number, *end))
        self._number += len(batch)
        things = dict.fromkeys(saying.release for saying, _ in said)
        for _, _, made_of in made:
            things.update(dict.fromkeys(made_of))
        things.update(dict.fromkeys(thing for _, thing, _ in uses))
        ids = self._known(things)
        edges: list[tuple[int, int, int]] = []
        for number, releases, made_of in made:
            children = [ids[part] for part in made_of]
            edges += [(child, ids[release], number) for release in releases for child in children]
        put(self._connection, STATEMENTS, statements)
        put(self._connection, SUBJECTS, subjects)
        put(self._connection, NOTICES, notices)
        put(self._connection, ENDS, ends)
        put(self._connection, WAITING, waiting)
        put(self._connection, SAID, [saying.row(ids[saying.release], number) for saying, number in said])
        put(self._connection, USES, [(number, ids[thing], *use) for number, thing, use in uses])
        put(self._connection, EDGES, sorted(edges))

    def _known(self, things: Iterable[Thing]) -> dict[Thing, int]:
        """The ids of things; what is not there yet is put there."""
        if len(self._ids) > CATALOG_THINGS_KEPT_MAX:
            self._ids.clear()
            self._all_in_memory = False
        unknown = {thing.key: thing for thing in things if thing not in self._ids}
        if not self._all_in_memory:
            for keys in _chunks(list(unknown), _KEYS_ASKED):
                for row in self._connection.execute(select(THINGS.c.key, THINGS.c.id).where(THINGS.c.key.in_(keys))):
                    self._ids[unknown.pop(row.key)] = row.id
        fresh = list(enumerate(unknown.values(), self._thing))
        self._thing += len(fresh)
        put(self._connection, THINGS, [thing_row(id_, thing) for id_, thing in fresh])
        self._ids |= {thing: id_ for id_, thing in fresh}
        return self._ids

    def _forget_loose(self) -> None:
        loose = select(STATEMENTS.c.number).where(STATEMENTS.c.origin == "").scalar_subquery()
        for table in (SUBJECTS, NOTICES, STATEMENTS):
            self._connection.execute(delete(table).where(table.c.number.in_(loose)))

    def _after(self, column: Any) -> int:
        return int(self._connection.scalar(select(func.coalesce(func.max(column), 0))) or 0) + 1


def _said(statement: Statement, key: str, counts: bool) -> tuple[str, str, str, str]:
    """Kind, issuer, key and time of a statement, as its row holds them."""
    told = (statement.kind, statement.issuer, key, str(statement.predicate.get("made", "")))
    # What counts is of a known kind, by a member or supplier of the charter: its words are short.
    return told if counts else (bounded(told[0]), bounded(told[1]), bounded(told[2]), bounded(told[3]))


def put(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows in the order of the table's columns, the way that is quickest for the database."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        # Of a table made within the transaction, its rows are there for all as soon as the table is: no later look at
        # each whether it is, and indexes are enough to answer.
        how = "(FREEZE)" if connection.get_execution_options().get("anew") else ""
        with connection.connection.cursor() as cursor, cursor.copy(f"COPY {table.name} FROM STDIN {how}") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", list(rows))  # noqa: S608


def _chunks(of: list[str], size: int) -> Iterable[list[str]]:
    return (of[at : at + size] for at in range(0, len(of), size))


_TOUCHED = "SELECT thing FROM said WHERE number >= :number"
_NAMED = (
    f"DELETE FROM releases WHERE thing IN ({_TOUCHED})",  # noqa: S608
    f"""
    INSERT INTO releases SELECT thing, digest, name, folded, system, version, supplier, endpoint FROM (
        SELECT s.thing, t.digest, s.name, s.called AS folded, s.system, s.version, s.supplier, s.endpoint,
               ROW_NUMBER() OVER (PARTITION BY s.thing ORDER BY s.rank, w.made, w.id) AS place
        FROM said s JOIN statements w ON w.number = s.number JOIN things t ON t.id = s.thing
        WHERE s.thing IN ({_TOUCHED})
    ) AS ranked WHERE place = 1
    """,  # noqa: S608
)
_BY_DIGEST = "SELECT r.id, t.id, 0 FROM things r JOIN things t ON t.digest = r.digest"
_BY_NAME = "SELECT s.thing, t.id, 0 FROM said s JOIN things t ON t.{column} = s.{named} WHERE t.sort = 'model'"
_LINKED = tuple(
    f"INSERT INTO edges {found} AND {fresh} ON CONFLICT DO NOTHING"
    for found, news in (
        (f"{_BY_DIGEST} WHERE r.sort = 'release' AND t.sort <> 'release'", ("r.id >= :thing", "t.id >= :thing")),
        (_BY_NAME.format(column="folded", named="folded"), ("s.number >= :number", "t.id >= :thing")),
        (_BY_NAME.format(column="folded", named="called"), ("s.number >= :number", "t.id >= :thing")),
    )
    for fresh in news
)
