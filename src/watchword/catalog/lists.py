"""Lists that pages show: statements, releases and what ends, one numbered page of each, newest first or by name.

* What a reader may not see is neither shown nor counted: ``to`` is EVERYTHING for the people of the catalog's own
  member, the name of another member, or None for anybody at all (as ``ledger.exchange.scope_allows``).
* A page is read by an index in its order, and costs what it shows and what it passes over; counts cost an index's read.
* Rows say where a statement stands. What it says is in its body.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, func, or_, select, true

from watchword.catalog.queries import KEYS_ASKED, Release, Told, told, with_uses
from watchword.catalog.rows import bounded, folded
from watchword.catalog.schema import ENDS, NEWEST, RELEASES, SAID, STATEMENTS, SUBJECTS
from watchword.limits import CATALOG_PAGE_MAX
from watchword.statements.digests import is_digest

EVERYTHING = ""
"""The reader who sees whatever the node holds: its own people."""


@dataclass(frozen=True)
class StatementPage:
    """One page of statements, and how many there are on all."""

    rows: tuple[Told, ...]
    count: int


@dataclass(frozen=True)
class Listed:
    """A release in a list: ``suppliers`` who claim it, and how many ``statements`` about it the reader may see."""

    release: Release
    suppliers: tuple[str, ...]
    statements: int


@dataclass(frozen=True)
class ListedPage:
    """One page of releases, and how many there are on all."""

    rows: tuple[Listed, ...]
    count: int


@dataclass(frozen=True)
class End:
    """What ends, and when, by the words of a statement."""

    what: str
    until: str
    told: Told


def visible(to: str | None) -> ColumnElement[bool]:
    """The condition that a statement is for this reader."""
    if to == EVERYTHING:
        return true()
    if to is None:
        return STATEMENTS.c.reach == 2
    # As it stands in a JSON list: a quote within a name would be escaped.
    named = json.dumps(to)
    return or_(STATEMENTS.c.reach >= 1, func.replace(STATEMENTS.c.scope, named, "") != STATEMENTS.c.scope)


def statements(
    connection: Connection, *, kind: str = "", keeper: str = "", issuer: str = "", counts: bool | None = None,
    to: str | None = EVERYTHING, page: int = 1, rows: int = 100,
) -> StatementPage:  # fmt: skip
    """A page of the statements in ledgers, newest first.

    Args:
        kind, keeper, issuer: only of this kind, in the ledgers of this member, by this issuer.
        counts: only such as count, or as do not.
        page: from 1.
    """
    asked = [STATEMENTS.c.origin != "", visible(to)]
    for column, text in ((STATEMENTS.c.kind, kind), (STATEMENTS.c.keeper, keeper), (STATEMENTS.c.issuer, issuer)):
        asked += [column == bounded(text)] if text else []
    asked += [] if counts is None else [STATEMENTS.c.counts.is_(counts)]
    count = int(connection.scalar(select(func.count()).select_from(STATEMENTS).where(*asked)) or 0)
    return StatementPage(_told(connection, _numbers(connection, asked, page, rows)), count)


def kinds(connection: Connection, *, keeper: str = "", to: str | None = EVERYTHING) -> dict[str, int]:
    """How many statements of each kind there are in ledgers, or in those of *keeper*."""
    asked = [STATEMENTS.c.origin != "", visible(to)] + ([STATEMENTS.c.keeper == bounded(keeper)] if keeper else [])
    of = STATEMENTS.c.kind
    rows = connection.execute(select(of, func.count()).where(*asked).group_by(of).order_by(of))
    return {str(kind): int(count) for kind, count in rows}


def issuers(connection: Connection, *, to: str | None = EVERYTHING) -> dict[str, int]:
    """Who has signed what counts, and how many statements."""
    asked, of = (STATEMENTS.c.origin != "", STATEMENTS.c.counts.is_(True), visible(to)), STATEMENTS.c.issuer
    rows = connection.execute(select(of, func.count()).where(*asked).group_by(of).order_by(of))
    return {str(issuer): int(count) for issuer, count in rows}


def statement(connection: Connection, id: str, *, to: str | None = EVERYTHING) -> Told | None:
    """Where the statement of this id stands first, if anywhere that this reader sees."""
    order = (STATEMENTS.c.counts.desc(), STATEMENTS.c.origin == "", STATEMENTS.c.origin, STATEMENTS.c.place)
    row = connection.execute(
        select(STATEMENTS).where(STATEMENTS.c.id == bounded(id), visible(to)).order_by(*order).limit(1)
    ).first()
    return None if row is None else told(row)


def about(
    connection: Connection, digest: str, *, to: str | None = EVERYTHING, page: int = 1, rows: int = CATALOG_PAGE_MAX
) -> StatementPage:
    """A page of the statements with this subject, newest first."""
    of = select(SUBJECTS.c.number).where(SUBJECTS.c.digest == bounded(digest))
    asked = [STATEMENTS.c.origin != "", visible(to), STATEMENTS.c.number.in_(of)]
    count = int(connection.scalar(select(func.count()).select_from(STATEMENTS).where(*asked)) or 0)
    return StatementPage(_told(connection, _numbers(connection, asked, page, rows)), count)


def releases(
    connection: Connection, *, find: str = "", supplier: str = "", to: str | None = EVERYTHING, page: int = 1,
    rows: int = 100,
) -> ListedPage:  # fmt: skip
    """A page of the releases on record, by name, each with its uses.

    Args:
        find: only those whose name contains this, without regard to case, or whose digest is this or begins so.
        supplier: only those that this supplier claims or delivers.
    """
    asked: list[ColumnElement[bool]] = []
    if find:
        named = RELEASES.c.folded.contains(folded(find), autoescape=True)
        digest = bounded(find)
        is_start = find.startswith("sha256:") and find != "sha256:"
        asked.append(or_(named, _from(RELEASES.c.digest, digest)) if is_start and not is_digest(find) else named)
        if is_digest(find):
            asked = [RELEASES.c.digest == digest]
    if supplier:
        asked.append(RELEASES.c.thing.in_(select(SAID.c.thing).where(SAID.c.supplier == bounded(supplier))))
    count = int(connection.scalar(select(func.count()).select_from(RELEASES).where(*asked)) or 0)
    order = (RELEASES.c.folded, RELEASES.c.digest)
    found = connection.execute(_paged(select(RELEASES).where(*asked).order_by(*order), page, rows)).all()
    delivered = select(SAID.c.thing, SAID.c.supplier).where(
        SAID.c.thing.in_([row.thing for row in found]), SAID.c.supplier != ""
    )
    suppliers: dict[int, set[str]] = {}
    for thing, name in connection.execute(delivered):
        suppliers.setdefault(thing, set()).add(name)
    of = (
        select(SUBJECTS.c.digest, func.count(STATEMENTS.c.number.distinct()))
        .join(STATEMENTS, STATEMENTS.c.number == SUBJECTS.c.number)
        .where(SUBJECTS.c.digest.in_([row.digest for row in found]))
        .where(STATEMENTS.c.counts.is_(True), STATEMENTS.c.origin != "", visible(to)).group_by(SUBJECTS.c.digest)
    )  # fmt: skip
    counted = {digest: int(many) for digest, many in connection.execute(of)}
    listed = zip(found, with_uses(connection, found), strict=True)
    return ListedPage(
        tuple(
            Listed(one, tuple(sorted(suppliers.get(row.thing, ()))), counted.get(row.digest, 0)) for row, one in listed
        ),
        count,
    )


def ending(connection: Connection, after: str, before: str, *, limit: int = CATALOG_PAGE_MAX) -> tuple[End, ...]:
    """What ends between two times (RFC 3339, UTC), the next first."""
    between = and_(ENDS.c.until >= after, ENDS.c.until <= before)
    asked = select(ENDS.c.what, ENDS.c.until, STATEMENTS).join(STATEMENTS, STATEMENTS.c.number == ENDS.c.number)
    order = (ENDS.c.until, ENDS.c.what, STATEMENTS.c.id)
    rows = connection.execute(asked.where(between).order_by(*order).limit(min(limit, CATALOG_PAGE_MAX)))
    return tuple(End(row.what, row.until, told(row)) for row in rows)


def _from(column: Column[str], start: str) -> ColumnElement[bool]:
    return and_(column >= start, column < start + chr(0x10FFFF))


def _paged(asked: Select[Any], page: int, rows: int) -> Select[Any]:
    rows = max(1, min(rows, CATALOG_PAGE_MAX))
    return asked.limit(rows).offset(rows * (max(page, 1) - 1))


def _numbers(connection: Connection, asked: Sequence[ColumnElement[bool]], page: int, rows: int) -> list[int]:
    """Of the page alone: what it passes over is passed over in the index."""
    order = [column.desc() for column in NEWEST]
    return list(connection.scalars(_paged(select(STATEMENTS.c.number).where(*asked).order_by(*order), page, rows)))


def _told(connection: Connection, numbers: Sequence[int]) -> tuple[Told, ...]:
    found: dict[int, Told] = {}
    for at in range(0, len(numbers), KEYS_ASKED):
        some = select(STATEMENTS).where(STATEMENTS.c.number.in_(numbers[at : at + KEYS_ASKED]))
        found |= {row.number: told(row) for row in connection.execute(some)}
    return tuple(found[number] for number in numbers)
