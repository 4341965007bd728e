"""A statement as every page tells of it: what it says in a few words, who signed it, when, and where it stands."""

from __future__ import annotations

import msgspec

from watchword.limits import CONSOLE_ROWS
from watchword.statements.words import says
from watchword.web.console.holdings import Placed
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import address


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One statement: ``address`` its page, ``locator`` for people (``BRAVO#12``), ``counts``: it has standing."""

    id: str
    kind: str
    says: str
    issuer: str
    made: str
    origin: str
    index: int
    locator: str
    counts: bool
    address: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has a page: its name, and the address."""

    name: str
    address: str


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a long table this page is, from 1; ``count`` rows in all."""

    page: int
    pages: int
    count: int


def told(one: Placed) -> Told:
    """*one* as pages tell of it."""
    statement = one.statement
    words = says(statement) or ", ".join(subject.name for subject in statement.subject)
    return Told(
        id=statement.id, kind=statement.kind, says=words, issuer=statement.issuer,
        made=str(statement.predicate.get("made", "")), origin=one.origin, index=one.index, locator=one.locator,
        counts=one.holder is not None, address=address("/statements/{id}", id=statement.id),
    )  # fmt: skip


def paged(page: int, count: int) -> Paged:
    """Where a page is, of *count* rows in all."""
    return Paged(page=page, pages=max(1, -(-count // CONSOLE_ROWS)), count=count)


def link_of(known: Snapshot, name: str) -> str | None:
    """The page of what a name of bad news names, where it has one."""
    sort, _, rest = name.partition(":")
    if sort == "release" and known.held.name_of(rest) is not None:
        return address("/releases/{digest}", digest=rest)
    if sort == "statement" and known.held.find(rest) is not None:
        return address("/statements/{id}", id=rest)
    return None
