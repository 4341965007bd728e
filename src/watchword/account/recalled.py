"""What a recall hits at home, asked of a catalog: the answer of ``recalls.hit_at_home``, without reading every body.

* The same statements count: those that stand in the ledgers as far as the view goes, made before the moment.
* What the recall names is looked up by the name that it is filed under; from there, upward, one step: a recall reaches
  what a release's own bill, claim, endpoint or screening names, and nothing further.
* Versions are weighed by ``ledger.query``. A package URL that the tables had to cut may be of any version.
* A catalog is no witness: it says which releases to look at; what is answered is signed by a person who sees the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from watchword.account.recalls import Hit
from watchword.catalog.rows import bounded, folded, was_cut
from watchword.catalog.schema import EDGES, STATEMENTS, SUBJECTS, THINGS, USES
from watchword.ledger.notices import REACHABLE
from watchword.ledger.query import EXERCISE, PACKAGE, package_of, within
from watchword.statements.kinds import CONSIDERED
from watchword.statements.times import rfc3339

_SAY = {
    "component": ("bill-of-materials",), "package": ("bill-of-materials",), "model": ("bill-of-materials",),
    "dataset": ("bill-of-materials", "data-screening"), "supplier": ("claim", "endpoint"),
}  # fmt: skip
"""Whose word puts a name of this sort into a release's name set (``ledger.notices.name_set``)."""
_KEYS_ASKED = 900


def hit_in_catalog(
    connection: Connection, recall: Mapping[str, Any], member: str, moment: datetime, sizes: Mapping[str, int]
) -> tuple[Hit, ...] | None:
    """The releases of *member* that *recall*, or an exercise of it, reaches; None where it names what no catalog knows.

    Args:
        sizes: how far each ledger counts, in the order in which ledgers are read.
    """
    target = str(recall["target"]).removeprefix(EXERCISE)
    sort, _, rest = target.partition(":")
    if sort not in REACHABLE:
        return None
    if sort == "release":
        return _own(connection, [rest], member, sizes)
    things = _named(connection, recall, sort, rest)
    return _own(connection, _reached(connection, things, sort, member, moment, sizes), member, sizes)


def _named(connection: Connection, recall: Mapping[str, Any], sort: str, rest: str) -> list[int]:
    """The ids of what is recalled."""
    column = {
        "component": or_(THINGS.c.purl == bounded(rest), THINGS.c.digest == bounded(rest)),
        "package": THINGS.c.filed == bounded(rest), "dataset": THINGS.c.digest == bounded(rest),
    }.get(sort, and_(THINGS.c.folded == folded(rest), THINGS.c.name == bounded(rest)))  # fmt: skip
    of = "component" if sort == "package" else sort
    rows = connection.execute(select(THINGS.c.id, THINGS.c.purl).where(THINGS.c.sort == of, column)).all()
    spans = recall["versions"] if str(recall["target"]).removeprefix(EXERCISE).startswith(PACKAGE) else ()
    return [
        row.id for row in rows
        if not spans or was_cut(row.purl) or any(within(package_of(row.purl)[1], span) for span in spans)
    ]  # fmt: skip


def _reached(
    connection: Connection, things: list[int], sort: str, member: str, moment: datetime, sizes: Mapping[str, int]
) -> list[str]:
    """The digests of the releases that *member* said something about and that a statement in the view puts these in."""
    own = (
        select(THINGS.c.id).join(SUBJECTS, SUBJECTS.c.digest == THINGS.c.digest)
        .join(STATEMENTS, STATEMENTS.c.number == SUBJECTS.c.number)
        .where(STATEMENTS.c.kind.in_(("decision", "mandate")), STATEMENTS.c.issuer == member)
        .where(THINGS.c.sort == "release")
    )  # fmt: skip
    asked = (
        select(THINGS.c.digest, STATEMENTS.c.origin, STATEMENTS.c.place)
        .select_from(EDGES)
        .join(STATEMENTS, STATEMENTS.c.number == EDGES.c.number)
        .join(SUBJECTS, and_(SUBJECTS.c.number == EDGES.c.number, SUBJECTS.c.position == 0))
        # Of a statement about several releases, decisions consider the first alone.
        .join(THINGS, and_(THINGS.c.id == EDGES.c.parent, THINGS.c.digest == SUBJECTS.c.digest))
        .where(EDGES.c.parent.in_(own), EDGES.c.number > 0, STATEMENTS.c.counts.is_(True))
        .where(STATEMENTS.c.kind.in_(set(_SAY[sort]) & CONSIDERED), STATEMENTS.c.made <= rfc3339(moment))
    )  # fmt: skip
    found: set[str] = set()
    for at in range(0, len(things), _KEYS_ASKED):
        rows = connection.execute(asked.where(EDGES.c.child.in_(things[at : at + _KEYS_ASKED])))
        found |= {digest for digest, origin, place in rows if place < sizes.get(origin, 0)}
    return sorted(found)


def _own(connection: Connection, releases: list[str], member: str, sizes: Mapping[str, int]) -> tuple[Hit, ...]:
    """Those of *releases* that *member* admitted or gave a mandate to."""
    order = {origin: place for place, origin in enumerate(sizes)}
    found: dict[str, list[Any]] = {}
    for at in range(0, len(releases), _KEYS_ASKED):
        rows = connection.execute(
            select(
                SUBJECTS.c.digest, SUBJECTS.c.name, SUBJECTS.c.position, STATEMENTS.c.id, STATEMENTS.c.origin,
                STATEMENTS.c.place, STATEMENTS.c.kind,
            )
            .join(STATEMENTS, STATEMENTS.c.number == SUBJECTS.c.number)
            .join(USES, USES.c.number == STATEMENTS.c.number, isouter=True)
            .where(SUBJECTS.c.digest.in_(releases[at : at + _KEYS_ASKED]), STATEMENTS.c.issuer == member)
            .where(STATEMENTS.c.counts.is_(True))
            .where(
                or_(
                    STATEMENTS.c.kind == "mandate",
                    and_(STATEMENTS.c.kind == "decision", USES.c.verdict == "admitted"),
                )
            )
        )  # fmt: skip
        for row in rows:
            if row.place < sizes.get(row.origin, 0):
                found.setdefault(row.digest, []).append(row)
    hits = []
    for release, of in sorted(found.items()):
        of.sort(key=lambda row: (order[row.origin], row.place, row.position))
        hits.append(Hit(of[0].name, release, tuple(row.id for row in of), any(row.kind == "mandate" for row in of)))
    return tuple(hits)
