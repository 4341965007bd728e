"""A statement as every page tells of it: what it says in a few words, who signed it, when, and where it stands."""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.limits import CONSOLE_ROWS
from watchword.statements.statement import Statement
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
    return Told(
        id=statement.id, kind=statement.kind, says=says(statement), issuer=statement.issuer,
        made=str(statement.predicate.get("made", "")), origin=one.origin, index=one.index, locator=one.locator,
        counts=one.holder is not None, address=address("/statements/{id}", id=statement.id),
    )  # fmt: skip


def says(statement: Statement) -> str:
    """What a statement says, in a few words; of a kind without such words, what it is about."""
    said = statement.predicate
    try:
        return _says(statement.kind, said) or ", ".join(subject.name for subject in statement.subject)
    except (KeyError, TypeError, ValueError, AttributeError):
        # Redacted, or of a version that this one does not know.
        return ", ".join(subject.name for subject in statement.subject)


def _says(kind: str, said: Any) -> str:
    if kind == "inspection":
        counts = ", ".join(f"{said[one]} {one}" for one in ("dangerous", "suspicious", "unreadable") if said[one])
        return f"{said['verdict']}: {counts or 'nothing found'} in {said['files']:,} files, by {said['tool']['name']}"
    if kind == "evaluation":
        return f"{said['metric']} {said['k']} of {said['n']} ({said['low']} to {said['high']}), {said['method']}"
    if kind == "data-screening":
        return f"{said['dataset']}: {said['rows']:,} rows, {said['changed_labels']:,} labels changed"
    if kind == "claim":
        return f"{said['system']} {said['release']}, supported until {said['support_until'] or 'no stated day'}"
    if kind == "bill-of-materials":
        return f"{len(said['components']):,} components, {len(said['base_models']):,} base models"
    if kind == "review":
        return f"{said['of']}: {said['outcome']}"
    if kind == "opinion":
        return f"{said['of']}: {said['verdict']}"
    if kind == "decision":
        return f"{said['decision']['verdict']} {said['decision']['subject']['name']}"
    if kind == "mandate":
        return str(said["mandate"]["name"])
    return str(said["reason"]) if "reason" in said else ""


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
