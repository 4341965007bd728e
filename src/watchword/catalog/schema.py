"""The tables of a catalog and their version.

* Everything in them follows from ledgers, bodies and loose notices: nothing is kept here alone.
* ``number`` and ``id`` count rows within one database; no answer shows them, since another database counts otherwise.
* A **thing** is what a release can be made of or come from: another release, a component, model, data set, supplier.
  An **edge** says that ``child`` is in ``parent``, and which statement (``number``) says so; -``number`` where its
  document alone says so, 0 where both are one: then, and only then, the child is a release and the parent none.
* Texts are bounded (``rows.bounded``), since an index of PostgreSQL takes 2,704 bytes, and ordered by code point.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table

VERSION = 5
"""Of the tables. A database with a greater one is refused; one with a smaller one goes the steps of ``steps``, or is
filled anew."""

METADATA = MetaData()
TEXT = String().with_variant(String(collation="C"), "postgresql")
"""Both databases put the same texts into the same order."""


def _number(name: str, *, primary: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=primary, autoincrement=False, nullable=False)


def _text(name: str, *, primary: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=primary, unique=unique or None, nullable=False)


META = Table("meta", METADATA, _text("name", primary=True), _text("value"))

LEDGERS = Table("ledgers", METADATA, _text("origin", primary=True), _number("size"), _text("last"))
"""How far each ledger was read, and the commitment of the last leaf read."""

UNREAD = Table("unread", METADATA, _text("origin", primary=True), _number("place", primary=True))
"""Leaves whose bodies are not held; looked for again at each update."""

STATEMENTS = Table(
    "statements", METADATA, _number("number", primary=True),
    *map(_text, ("id", "origin")), _number("place"),
    *map(_text, ("locator", "kind", "issuer", "key", "made")), Column("counts", Boolean, nullable=False),
    _text("keeper"), _number("reach"), _text("scope"),
)  # fmt: skip
"""``origin`` is empty and ``place`` its rank for a loose notice. ``counts``: its key may say it, and it stands under
its own leaf; whether it counts in a view is for a decision to say. ``keeper``: the member in whose ledger it stands.
``reach``: 2 public, 1 for the alliance, 0 for those whom ``scope`` names in a JSON list; its own issuer's empty."""

SUBJECTS = Table(
    "subjects", METADATA, _number("number", primary=True), _number("position", primary=True),
    _text("digest"), _text("name"), sqlite_with_rowid=False,
)  # fmt: skip

THINGS = Table(
    "things", METADATA, _number("id", primary=True), _text("key", unique=True),
    *map(_text, ("sort", "name", "folded", "version", "purl", "package", "digest", "filed")),
)  # fmt: skip
"""``sort``: release, component, model, dataset, supplier. ``folded``: the name without regard to case. ``package``: the
package URL without version, as its type spells it; ``filed``: as recalls name it (docs/protocol.md, section 7).
``key``: the digest of all that tells this thing from others. Empty text: not told."""

EDGES = Table(
    "edges", METADATA, *(_number(name, primary=True) for name in ("child", "parent", "number")),
    sqlite_with_rowid=False,
)  # fmt: skip

SAID = Table(
    "said", METADATA, _number("thing", primary=True), _number("number", primary=True),
    *map(_text, ("name", "system", "folded", "called", "version", "supplier")), _number("rank"),
    Column("endpoint", Boolean, nullable=False), sqlite_with_rowid=False,
)  # fmt: skip
"""What statements that count call a release; ``rank``: whose word goes first. ``folded`` and ``called``: system and
name without regard to case."""

RELEASES = Table(
    "releases", METADATA, _number("thing", primary=True),
    *map(_text, ("digest", "name", "folded", "system", "version", "supplier")),
    Column("endpoint", Boolean, nullable=False),
)  # fmt: skip
"""One name for each release: of what is said of it, the least by rank, time and id."""

USES = Table(
    "uses", METADATA, _number("number", primary=True), _number("thing"),
    *map(_text, ("use_case", "name", "owner")), _number("criticality"), *map(_text, ("members", "verdict")),
)  # fmt: skip
"""One row for each decision that counts. ``criticality`` is -1 where the use case itself is not held here; ``members``
are a JSON list."""

NOTICES = Table(
    "notices", METADATA, _number("number", primary=True),
    *map(_text, ("target", "reason", "deadline", "against")),
)  # fmt: skip
"""``against``: the id of the notice that a take-back or lift speaks against, or that a recall supersedes."""

WAITING = Table(
    "waiting", METADATA, _number("number", primary=True), _text("origin"), _number("place"), _text("document")
)
"""Bills of materials that count and whose documents are not held, or were not looked for: the commitment of each, in
hex, where it is known."""

ENDS = Table("ends", METADATA, _number("number", primary=True), *map(_text, ("what", "until")))
"""When what a statement that counts says ends, by its own words: the support of a release, a mandate, a waiver, a
reliance."""

NEWEST = (STATEMENTS.c.made, STATEMENTS.c.place, STATEMENTS.c.origin)
"""What lists of statements are ordered by, the other way round."""
_SEEN = (STATEMENTS.c.reach, STATEMENTS.c.counts)

INDEXES = (
    Index("statements_id", STATEMENTS.c.id),
    Index("statements_place", STATEMENTS.c.origin, STATEMENTS.c.place, unique=True),
    Index("statements_kind", STATEMENTS.c.kind, *NEWEST, *_SEEN),
    Index("statements_keeper", STATEMENTS.c.keeper, *NEWEST, *_SEEN, STATEMENTS.c.kind),
    Index("statements_issuer", STATEMENTS.c.issuer, *NEWEST, *_SEEN, STATEMENTS.c.kind),
    Index("ends_until", ENDS.c.until),
    Index("subjects_digest", SUBJECTS.c.digest),
    Index("things_folded", THINGS.c.folded),
    Index("things_package", THINGS.c.package),
    Index("things_digest", THINGS.c.digest),
    Index("things_filed", THINGS.c.filed),
    Index("things_purl", THINGS.c.purl),
    Index("edges_parent", EDGES.c.parent),
    Index(
        "edges_one", EDGES.c.child, EDGES.c.parent,
        sqlite_where=EDGES.c.number == 0, postgresql_where=EDGES.c.number == 0,
    ),
    Index("said_folded", SAID.c.folded),
    Index("said_called", SAID.c.called),
    Index("said_supplier", SAID.c.supplier),
    Index("releases_folded", RELEASES.c.folded, RELEASES.c.digest),
    Index("releases_digest", RELEASES.c.digest),
    Index("uses_thing", USES.c.thing),
    Index("uses_case", USES.c.use_case),
    Index("notices_target", NOTICES.c.target),
)
"""Made when a rebuild has filled the tables: kept up row by row they would double its time."""
