"""Exposure at home: which releases and uses of this member are hit when something that they rest on falls.

Asked of a catalog, which holds what the bills of materials say that this node holds. Nothing of it leaves the node.

* **What** falls is named as bad news is (``component:pkg:pypi/onnx@1.15.0``, ``model:base-7b``, ``dataset:sha256:…``,
  ``supplier:AQUILA``, ``release:sha256:…``), by a package URL (without version: every version), a digest, or a plain
  name, without regard to case: of a component, model, data set, supplier or system.
* **Hit** is what it is in, and whatever that is in: a release whose base model is a release that has the component.
  Each release hit can tell by which chain.
* A bill that nobody made, a body that is not held, a component that a bill does not list: not seen. The answer says how
  many releases have no bill here; no hit is not "not in it".
* A version that cannot be compared, where a range is asked for, counts as hit: unreadable is not absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    and_,
    exists,
    func,
    or_,
    select,
    text,
)

from watchword.catalog import queries
from watchword.catalog.fill import put
from watchword.catalog.queries import Part, Used
from watchword.catalog.rows import bounded, folded
from watchword.catalog.schema import EDGES, RELEASES, SAID, THINGS, USES
from watchword.errors import WatchwordError
from watchword.limits import CATALOG_PAGE_MAX, EXPOSURE_DEPTH_MAX
from watchword.statements.digests import is_digest
from watchword.statements.purl import parse_purl

SCHEMA = "watchword-exposure/1"
SORTS = ("component", "model", "dataset", "supplier", "release")


class NothingNamed(WatchwordError):
    """No thing on record is called so."""


class Hit(NamedTuple):
    """A release that is hit: ``depth`` 1 where it has the thing itself, 0 where it is that. ``chain``: from what fell
    up to what the release has of it; empty where it was not asked for."""

    digest: str
    name: str
    supplier: str
    depth: int
    chain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exposure:
    """What falls, and what is hit by it. ``matched``: the things on record that were meant, at most a page of them.

    ``unseen``: releases on record without a bill of materials here. ``cut``: chains longer than EXPOSURE_DEPTH_MAX were
    not followed to their end.
    """

    asked: str
    matched: tuple[Part, ...]
    matched_total: int
    releases: tuple[Hit, ...]
    releases_total: int
    uses: tuple[Used, ...]
    unseen: int
    cut: bool

    @property
    def stopped(self) -> tuple[Used, ...]:
        """The uses hit that somebody admitted."""
        return tuple(use for use in self.uses if use.verdict == "admitted")

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self) | {"releases": [one._asdict() for one in self.releases]}


@dataclass(frozen=True)
class Wanted:
    """What is looked for: things of ``sort`` (empty: any) whose ``by`` (package, digest or folded name) is ``text``.

    ``affects``: whether a version, which may be empty, is meant; asked of packages.
    """

    sort: str
    by: str
    text: str
    affects: Callable[[str], bool] = lambda _: True


def wanted(said: str) -> Wanted:
    """What a person means by *said*; see the module's first rule."""
    sort, colon, rest = said.partition(":")
    if not colon or sort not in SORTS or not rest:
        sort, rest = "", said
    purl = parse_purl(rest)
    if purl is not None:
        version = purl.version
        return Wanted(sort, "package", bounded(purl.package), lambda told: not version or told in ("", version))
    if is_digest(rest):
        return Wanted(sort, "digest", rest)
    return Wanted(sort, "folded", folded(rest))


def exposure(
    connection: Connection, asked: str, of: Sequence[Wanted], *, limit: int | None = None, chains: int = 0
) -> Exposure:
    """What is hit where all that *of* names falls at once.

    Args:
        asked: how it is called, for people.
        limit: how many releases are listed, nearest first; all by default. They are counted in any case.
        chains: for how many of these the chain is told.

    Raises:
        NothingNamed: nothing on record is meant.
    """
    found = dict(one for each in of for one in _found(connection, each))
    if not found:
        raise NothingNamed(
            f"{asked}: nothing on record is called so",
            "no bill of materials held here lists it; watchword catalog status says how many are held",
        )
    cut = _spread(connection, list(found))
    order = (_HIT.c.depth, RELEASES.c.folded, RELEASES.c.digest)
    rows = connection.execute(
        select(RELEASES.c.digest, RELEASES.c.name, RELEASES.c.supplier, _HIT.c.depth, _HIT.c.thing)
        .select_from(_HIT).join(RELEASES, _HIT.c.thing == RELEASES.c.thing).order_by(*order).limit(limit)
    ).all()  # fmt: skip
    total = len(rows)
    if limit is not None:
        counted = select(func.count()).select_from(RELEASES.join(_HIT, _HIT.c.thing == RELEASES.c.thing))
        total = int(connection.scalar(counted) or 0)
    hits = [Hit(*row[:4], _chain(connection, row)) for row in rows[:chains]]
    hits += [Hit(digest, name, supplier, depth) for digest, name, supplier, depth, _ in rows[chains:]]
    deciding = connection.scalars(select(USES.c.thing).where(USES.c.thing.in_(select(_HIT.c.thing))).distinct()).all()
    # The word of a bill has rank 1 (``rows.RANKS``).
    billed = exists().where(and_(SAID.c.thing == RELEASES.c.thing, SAID.c.rank == 1))
    unseen = connection.scalar(select(func.count()).select_from(RELEASES).where(~billed))
    parts = sorted(found.values(), key=lambda part: tuple(asdict(part).values()))
    return Exposure(
        asked, tuple(parts[:CATALOG_PAGE_MAX]), len(parts), tuple(hits), total,
        tuple(queries.uses_of(connection, deciding)), int(unseen or 0), cut,
    )  # fmt: skip


_HIT = Table(
    "hit", MetaData(),
    Column("thing", Integer, primary_key=True, autoincrement=False), Column("depth", Integer, nullable=False),
    prefixes=["TEMPORARY"],
)  # fmt: skip
_DROP = text("DROP TABLE IF EXISTS hit")
_FURTHER = text(
    """
    INSERT INTO hit SELECT DISTINCT edges.parent, CAST(:depth AS INTEGER) FROM hit CROSS JOIN edges
    WHERE edges.child = hit.thing AND hit.depth = :before
      AND NOT EXISTS (SELECT 1 FROM hit AS seen WHERE seen.thing = edges.parent)
    """
)
"""A cross join tells SQLite to begin with what was hit: of a table made just now it knows no sizes."""
_PART = (THINGS.c.sort, THINGS.c.name, THINGS.c.version, THINGS.c.purl, THINGS.c.digest)


def _found(connection: Connection, of: Wanted) -> Iterable[tuple[int, Part]]:
    """The things meant, by their ids."""
    asked = select(THINGS.c.id, *_PART).where(THINGS.c[of.by] == of.text)
    if of.sort:
        asked = asked.where(THINGS.c.sort == of.sort)
    for id_, *told in connection.execute(asked):
        part = Part(*told)
        purl = parse_purl(part.purl)
        if of.by != "package" or of.affects(purl.version or part.version if purl else part.version):
            yield id_, part
    if of.by == "folded" and of.sort in ("", "release"):
        named = select(SAID.c.thing).where(or_(SAID.c.folded == of.text, SAID.c.called == of.text))
        for id_, *told in connection.execute(select(THINGS.c.id, *_PART).where(THINGS.c.id.in_(named))):
            yield id_, Part(*told)


def _spread(connection: Connection, start: Sequence[int]) -> bool:
    """Put into ``hit`` what is in *start*, what that is in, and so on; whether it was cut short."""
    connection.execute(_DROP)
    _HIT.create(connection)
    put(connection, _HIT, [(id_, 0) for id_ in start])
    _step_by_index(connection, True)
    for depth in range(1, EXPOSURE_DEPTH_MAX + 1):
        if not connection.execute(_FURTHER, {"depth": depth, "before": depth - 1}).rowcount:
            break
    _step_by_index(connection, False)
    return depth == EXPOSURE_DEPTH_MAX


def _step_by_index(connection: Connection, only: bool) -> None:
    """Have PostgreSQL look edges up one by one: it knows too little of a new table, and would read them all."""
    if connection.dialect.name == "postgresql":
        for join in ("hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET LOCAL enable_{join} = {'off' if only else 'on'}")
        if not only:
            connection.exec_driver_sql("ANALYZE hit")


def _chain(connection: Connection, row: Any) -> tuple[str, ...]:
    """From what fell up to what the release of *row* has of it; of several chains, the shortest, then by name."""
    chain: list[str] = []
    thing, depth = row.thing, row.depth
    while depth > 0:
        depth -= 1
        below = connection.execute(
            select(THINGS.c.id, *_PART, func.coalesce(RELEASES.c.name, "").label("release"))
            .join(EDGES, EDGES.c.child == THINGS.c.id)
            .join(_HIT, and_(_HIT.c.thing == EDGES.c.child, _HIT.c.depth == depth))
            .join(RELEASES, RELEASES.c.thing == THINGS.c.id, isouter=True)
            .where(EDGES.c.parent == thing).order_by(*_PART).limit(1)
        ).one()  # fmt: skip
        thing = below.id
        chain.append(below.release or Part(*below[1:6]).told())
    return tuple(reversed(chain))
