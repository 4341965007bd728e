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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    and_,
    func,
    or_,
    select,
    text,
)

from watchword.catalog import queries
from watchword.catalog.fill import put
from watchword.catalog.queries import Part, Used
from watchword.catalog.rows import RANKS, bounded, folded
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
    cut = _spread(connection, found)
    by_name = (RELEASES.c.folded, RELEASES.c.digest)
    # Where all are listed, an index has them by name: to put them by depth here is quicker than to sort names there.
    order = by_name if limit is None else (_HIT.c.depth, *by_name)
    listed = connection.execute(
        select(RELEASES.c.digest, RELEASES.c.name, RELEASES.c.supplier, _HIT.c.depth)
        .select_from(_HIT).join(RELEASES, _HIT.c.thing == RELEASES.c.thing).order_by(*order).limit(limit)
    )  # fmt: skip
    hits = _nearest_first(listed.cursor)
    listed.close()
    total = len(hits)
    if limit is not None:
        counted = select(func.count()).select_from(RELEASES.join(_HIT, _HIT.c.thing == RELEASES.c.thing))
        total = int(connection.scalar(counted) or 0)
    told = _chains(connection, [one.digest for one in hits[:chains]])
    hits[:chains] = [one._replace(chain=told[one.digest]) for one in hits[:chains]]
    known = int(connection.scalar(select(func.count()).select_from(RELEASES)) or 0)
    parts = sorted(found.values(), key=lambda part: tuple(asdict(part).values()))
    return Exposure(
        asked, tuple(parts[:CATALOG_PAGE_MAX]), len(parts), tuple(hits), total,
        tuple(queries.uses_where(connection, USES.c.thing.in_(select(_HIT.c.thing)))), known - _billed(connection), cut,
    )  # fmt: skip


_HIT = Table(
    "hit", MetaData(),
    Column("thing", Integer, primary_key=True, autoincrement=False),
    Column("depth", Integer, nullable=False), Column("part", Boolean, nullable=False),
    prefixes=["TEMPORARY"],
)  # fmt: skip
"""What is hit, and in how many steps; ``part``: it is no release. Parts are in releases, and a release is in others as
the part that it is one with (``catalog.schema``): so each sort is looked for among its own edges alone."""
_STEPS = tuple(
    text(
        f"""
        INSERT INTO hit SELECT DISTINCT edges.parent, :depth + 1, {1 - part} FROM hit CROSS JOIN edges
        WHERE hit.depth = :depth AND hit.part = {part} AND edges.child = hit.thing AND edges.number {of}
          AND NOT EXISTS (SELECT 1 FROM hit AS seen WHERE seen.thing = edges.parent)
        """  # noqa: S608  # nothing is put in but what stands here
    )
    for part, of in ((1, "<> 0"), (0, "= 0"))
)
"""One step. A cross join tells SQLite to begin with what was hit: of a table made just now it knows no sizes."""
_ALL_STEPS = f"""
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashagg = off;
DO $$ DECLARE
    parts integer[] := ARRAY(SELECT thing FROM hit WHERE part);
    releases integer[] := ARRAY(SELECT thing FROM hit WHERE NOT part);
    links bigint := (SELECT count(*) FROM edges WHERE number = 0);
    above integer[];
BEGIN
    FOR at IN 1..{EXPOSURE_DEPTH_MAX} LOOP
        above := ARRAY(
            SELECT parent FROM (SELECT DISTINCT parent FROM edges WHERE child = ANY (parts) AND number <> 0) AS further
            WHERE NOT EXISTS (SELECT 1 FROM hit WHERE thing = parent)
        );
        IF cardinality(releases) < links THEN
            parts := ARRAY(SELECT DISTINCT parent FROM edges WHERE child = ANY (releases) AND number = 0);
        ELSE
            parts := ARRAY(
                SELECT DISTINCT parent FROM edges JOIN hit ON thing = child
                WHERE number = 0 AND depth = at - 1 AND NOT part
            );
        END IF;
        parts := ARRAY(
            SELECT parent FROM unnest(parts) AS parent WHERE NOT EXISTS (SELECT 1 FROM hit WHERE thing = parent)
        );
        releases := above;
        EXIT WHEN releases = '{{}}' AND parts = '{{}}';
        INSERT INTO hit SELECT unnest(releases), at, false UNION ALL SELECT unnest(parts), at, true;
    END LOOP;
END $$;
SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;
SET LOCAL enable_seqscan = on; SET LOCAL enable_hashagg = on;
ANALYZE hit
"""  # noqa: S608  # nothing is put in but what stands here
"""All of them, where the server can go on by itself: a way there and back for each costs more than the step. It knows
too little of a new table, and would read every edge for each step; and to sort numbers is quicker than to hash them.
Of releases and of links to what they are one with, the fewer are looked up among the others."""
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


def _spread(connection: Connection, start: Mapping[int, Part]) -> bool:
    """Put into ``hit`` what is in *start*, what that is in, and so on; whether it was cut short."""
    connection.execute(text("DROP TABLE IF EXISTS hit"))
    _HIT.create(connection)
    put(connection, _HIT, [(id_, 0, part.sort != "release") for id_, part in start.items()])
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_ALL_STEPS)
    else:
        connection.exec_driver_sql("CREATE INDEX temp.hit_depth ON hit (depth, part)")
        for depth in range(EXPOSURE_DEPTH_MAX):
            if not sum(connection.execute(step, {"depth": depth}).rowcount for step in _STEPS):
                break
    return int(connection.scalar(select(func.max(_HIT.c.depth))) or 0) >= EXPOSURE_DEPTH_MAX - 1


def _nearest_first(cursor: Any) -> list[Hit]:
    """The rows as they come, by depth. A hundred thousand of them: as the driver gives them, and no more of its rows
    kept than are looked at, they cost a third."""
    at: dict[int, list[Hit]] = {}
    while rows := cursor.fetchmany(1000):
        for row in rows:
            at.setdefault(row[3], []).append(Hit(*row))
    return [hit for depth in sorted(at) for hit in at[depth]]


def _billed(connection: Connection) -> int:
    """How many releases have a bill of materials here; what is said of a release makes one of it."""
    said = SAID.c.rank == RANKS["bill-of-materials"]
    counted = select(func.count(SAID.c.thing.distinct())).where(said)
    if connection.dialect.name == "sqlite":
        # By the order of its key, which it does not use to count what is distinct.
        each = select(SAID.c.thing).where(said).group_by(SAID.c.thing)
        counted = select(func.count()).select_from(each.subquery())
    return int(connection.scalar(counted) or 0)


def _chains(connection: Connection, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each release, from what fell up to what it has of it; of several chains, the shortest, then by name."""
    asked = select(THINGS.c.digest, THINGS.c.id, _HIT.c.depth).join(_HIT, _HIT.c.thing == THINGS.c.id)
    of = asked.where(THINGS.c.sort == "release", THINGS.c.digest.in_(digests))
    at = {digest: (thing, depth) for digest, thing, depth in connection.execute(of)}
    chains: dict[str, list[str]] = {digest: [] for digest in digests}
    below = _HIT.alias("below")
    while parents := sorted({thing for thing, depth in at.values() if depth > 0}):
        rows = connection.execute(
            select(EDGES.c.parent, THINGS.c.id, *_PART, func.coalesce(RELEASES.c.name, "").label("release"))
            .join(THINGS, THINGS.c.id == EDGES.c.child)
            .join(_HIT, _HIT.c.thing == EDGES.c.parent)
            .join(below, and_(below.c.thing == EDGES.c.child, below.c.depth == _HIT.c.depth - 1))
            .join(RELEASES, RELEASES.c.thing == THINGS.c.id, isouter=True)
            .where(EDGES.c.parent.in_(parents)).order_by(EDGES.c.parent, *_PART)
        )  # fmt: skip
        first: dict[int, Any] = {}
        for row in rows:
            first.setdefault(row.parent, row)
        for digest, (thing, depth) in at.items():
            if depth > 0:
                one = first[thing]
                chains[digest].append(one.release or Part(*one[2:7]).told())
                at[digest] = one.id, depth - 1
    return {digest: tuple(reversed(chain)) for digest, chain in chains.items()}
