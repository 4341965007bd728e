"""What pages and commands ask of a catalog: lists a page at a time, and what is known of one release.

* A page goes on after the last row of the one before it, by name and digest: the hundredth is as quick as the first.
* Only statements that count are the source of a name, a part or a use; those that do not are listed as such.
* Answers are what statements say. Whether a release may be used is for a decision to say, from the ledgers themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, tuple_

from watchword.catalog.rows import bounded, folded
from watchword.catalog.schema import EDGES, NOTICES, RELEASES, SAID, STATEMENTS, SUBJECTS, THINGS, UNREAD, USES
from watchword.limits import CATALOG_PAGE_MAX

KEYS_ASKED = 900
"""Keys in one query. Origin: builds of SQLite take 999 variables and more."""


@dataclass(frozen=True)
class Told:
    """A statement as lists show it; ``locator`` and ``origin`` are empty where it is held loose."""

    id: str
    locator: str
    kind: str
    issuer: str
    made: str
    counts: bool
    origin: str
    place: int


@dataclass(frozen=True)
class Used:
    """The newest decision on a release and use case. ``name`` is empty and ``criticality`` -1 where the use case is not
    held here."""

    release: str
    release_name: str
    use_case: str
    name: str
    owner: str
    criticality: int
    members: tuple[str, ...]
    verdict: str
    by: str
    made: str
    locator: str


@dataclass(frozen=True)
class Release:
    """A release in a list; ``supplier`` is empty where nobody said."""

    digest: str
    name: str
    system: str
    version: str
    supplier: str
    endpoint: bool
    uses: tuple[Used, ...] = ()


@dataclass(frozen=True)
class ReleasePage:
    """One page of a list. ``after``: give it back for the next one; empty on the last."""

    releases: tuple[Release, ...]
    after: str


@dataclass(frozen=True)
class Part:
    """What a release is made of or comes from: ``sort`` is component, model, dataset or supplier."""

    sort: str
    name: str
    version: str
    purl: str
    digest: str

    def names(self) -> list[str]:
        """The names under which bad news against it is filed."""
        if self.sort in ("component", "release"):
            return [f"{self.sort}:{text}" for text in (self.digest, self.purl) if text]
        if self.sort == "dataset":
            return [f"dataset:{self.digest}"] if self.digest else []
        return [f"{self.sort}:{self.name}"]

    def told(self) -> str:
        """It, for people."""
        version = f" {self.version}" if self.version else ""
        return f"{self.name}{version}" if self.name else self.digest


@dataclass(frozen=True)
class Against:
    """A notice against a name."""

    target: str
    kind: str
    reason: str
    deadline: str
    by: str
    made: str
    id: str
    locator: str


@dataclass(frozen=True)
class ReleaseFacts:
    """All that a page of one release shows. Lists are cut at CATALOG_PAGE_MAX; ``…_total`` says how many there are."""

    release: Release
    called: tuple[tuple[str, str], ...]
    statements: tuple[Told, ...]
    statements_total: int
    parts: tuple[Part, ...]
    parts_total: int
    notices: tuple[Against, ...]
    used_in: tuple[Release, ...]
    used_in_total: int

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)


def releases(
    connection: Connection, *, begins: str = "", supplier: str = "", after: str = "", limit: int = 50
) -> ReleasePage:
    """A page of the releases on record, by name, each with its uses.

    Args:
        begins: only those whose name begins so, without regard to case.
        supplier: only those that any statement says this supplier delivers.
        after: ``ReleasePage.after`` of the page before.
    """
    limit = max(1, min(limit, CATALOG_PAGE_MAX))
    asked = select(RELEASES).order_by(RELEASES.c.folded, RELEASES.c.digest).limit(limit + 1)
    if begins:
        start = folded(begins)
        asked = asked.where(RELEASES.c.folded >= start, RELEASES.c.folded < start + chr(0x10FFFF))
    if supplier:
        said = select(SAID.c.thing).where(SAID.c.supplier == bounded(supplier))
        asked = asked.where(RELEASES.c.thing.in_(said))
    if after:
        name, _, digest = after.rpartition("\n")
        asked = asked.where(tuple_(RELEASES.c.folded, RELEASES.c.digest) > tuple_(name, digest))
    rows = connection.execute(asked).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return ReleasePage(tuple(with_uses(connection, rows)), f"{rows[-1].folded}\n{rows[-1].digest}" if more else "")


def release(connection: Connection, digest: str) -> ReleaseFacts | None:
    """What is known of one release; None where no statement that counts is about it."""
    row = connection.execute(select(RELEASES).where(RELEASES.c.digest == bounded(digest))).first()
    if row is None:
        return None
    (found,) = with_uses(connection, [row])
    called = connection.execute(
        select(SAID.c.name, STATEMENTS.c.issuer)
        .join(STATEMENTS, STATEMENTS.c.number == SAID.c.number)
        .where(SAID.c.thing == row.thing).distinct().order_by(SAID.c.name, STATEMENTS.c.issuer).limit(CATALOG_PAGE_MAX)
    )  # fmt: skip
    about = select(SUBJECTS.c.number).where(SUBJECTS.c.digest == digest)
    statements, statements_total = _page(
        connection,
        select(STATEMENTS).where(STATEMENTS.c.number.in_(about)),
        (STATEMENTS.c.made.desc(), STATEMENTS.c.id, STATEMENTS.c.origin, STATEMENTS.c.place),
    )
    child = EDGES.c.child == THINGS.c.id
    shown = (THINGS.c.sort, THINGS.c.name, THINGS.c.version, THINGS.c.purl, THINGS.c.digest)
    below = select(*shown).join(EDGES, child).where(EDGES.c.parent == row.thing, THINGS.c.sort != "release").distinct()
    parts, parts_total = _page(connection, below, shown)
    made_of = [_part(one) for one in parts]
    names = [name for part in (*made_of, Part("release", "", "", "", digest)) for name in part.names()]
    in_models = select(EDGES.c.parent).where(EDGES.c.child == row.thing, EDGES.c.number == 0)
    users = select(EDGES.c.parent).where(EDGES.c.child.in_(in_models))
    used, used_total = _page(
        connection, select(RELEASES).where(RELEASES.c.thing.in_(users)), (RELEASES.c.folded, RELEASES.c.digest)
    )
    return ReleaseFacts(
        found, tuple((one.name, one.issuer) for one in called), tuple(map(told, statements)), statements_total,
        tuple(made_of), parts_total, notices(connection, names), tuple(map(_release, used)), used_total,
    )  # fmt: skip


def notices(connection: Connection, names: Iterable[str]) -> tuple[Against, ...]:
    """The notices against any of these names, whether they still count or not; newest first."""
    wanted = sorted(set(map(bounded, names)))
    found: dict[str, Against] = {}
    for at in range(0, len(wanted), KEYS_ASKED):
        asked = select(NOTICES, STATEMENTS).join(STATEMENTS, STATEMENTS.c.number == NOTICES.c.number)
        rows = connection.execute(
            asked.where(NOTICES.c.target.in_(wanted[at : at + KEYS_ASKED]))
            .order_by(STATEMENTS.c.origin.desc(), STATEMENTS.c.place)
        )  # fmt: skip
        for row in rows:
            one = Against(
                row.target, row.kind, row.reason, row.deadline, row.issuer, row.made, row.id, row.locator
            )  # fmt: skip
            # The same notice is held loose and in a ledger: its place there is told.
            found.setdefault(row.id, one)
    return tuple(sorted(found.values(), key=lambda one: (one.made, one.id), reverse=True))


def counts(connection: Connection) -> dict[str, int]:
    """How many statements, releases, things, edges and uses there are, and leaves whose bodies are not held."""
    tables = {
        "statements": STATEMENTS, "releases": RELEASES, "things": THINGS, "edges": EDGES, "decisions": USES,
        "notices": NOTICES, "bodies not held": UNREAD,
    }  # fmt: skip
    return {
        name: int(connection.scalar(select(func.count()).select_from(table)) or 0) for name, table in tables.items()
    }


def uses_of(connection: Connection, things: Sequence[int]) -> list[Used]:
    """The newest decision on each use case of these releases, by their ids."""
    found: list[Used] = []
    for at in range(0, len(things), KEYS_ASKED):
        found += uses_where(connection, USES.c.thing.in_(things[at : at + KEYS_ASKED]))
    return sorted(found, key=_by_name)


def uses_where(connection: Connection, meant: ColumnElement[bool]) -> list[Used]:
    """The newest decision on each use case of the releases that *meant* tells by their things."""
    newest: dict[tuple[int, str], tuple[tuple[str, str], Row[Any]]] = {}
    for row in connection.execute(_USES.where(USES.c.use_case != "", meant)).all():
        key, when = (row.thing, row.use_case), (row.made, row.id)
        if key not in newest or newest[key][0] < when:
            newest[key] = when, row
    return sorted((used(row) for _, row in newest.values()), key=_by_name)


def _by_name(one: Used) -> tuple[str, str, str, str]:
    return one.name, one.release_name, one.release, one.use_case


_USES = (
    select(
        USES, STATEMENTS.c.id, STATEMENTS.c.issuer, STATEMENTS.c.made, STATEMENTS.c.locator,
        THINGS.c.digest.label("release"), func.coalesce(RELEASES.c.name, "").label("release_name"),
    )
    .join(STATEMENTS, STATEMENTS.c.number == USES.c.number)
    .join(THINGS, THINGS.c.id == USES.c.thing)
    .join(RELEASES, RELEASES.c.thing == USES.c.thing, isouter=True)
)  # fmt: skip


_MEMBERS = msgspec.json.Decoder(tuple[str, ...])


def used(row: Row[Any]) -> Used:
    """One row of ``_USES``."""
    return Used(
        row.release, row.release_name, row.use_case, row.name, row.owner, row.criticality,
        _MEMBERS.decode(row.members), row.verdict, row.issuer, row.made, row.locator,
    )  # fmt: skip


def with_uses(connection: Connection, rows: Sequence[Row[Any]]) -> list[Release]:
    """Rows of releases, each with its uses."""
    by: dict[str, list[Used]] = {}
    for one in uses_of(connection, [row.thing for row in rows]):
        by.setdefault(one.release, []).append(one)
    return [_release(row, tuple(by.get(row.digest, ()))) for row in rows]


def _release(row: Row[Any], uses: tuple[Used, ...] = ()) -> Release:
    return Release(row.digest, row.name, row.system, row.version, row.supplier, bool(row.endpoint), uses)


def _part(row: Row[Any]) -> Part:
    return Part(row.sort, row.name, row.version, row.purl, row.digest)


def told(row: Row[Any]) -> Told:
    """One row of statements."""
    return Told(
        row.id, row.locator, row.kind, row.issuer, row.made, bool(row.counts), row.origin, row.place
    )  # fmt: skip


def _page(connection: Connection, asked: Select[Any], order: Sequence[Any]) -> tuple[Sequence[Row[Any]], int]:
    """The first CATALOG_PAGE_MAX rows, and how many there are."""
    rows = connection.execute(asked.order_by(*order).limit(CATALOG_PAGE_MAX + 1)).all()
    if len(rows) <= CATALOG_PAGE_MAX:
        return rows, len(rows)
    total = connection.scalar(select(func.count()).select_from(asked.subquery()))
    return rows[:CATALOG_PAGE_MAX], int(total or 0)
