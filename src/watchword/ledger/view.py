"""A view: what a node knows of every ledger of the alliance, as a value; and the facts that a decision sees in it.

Follows docs/protocol.md, sections 6 and 8. Values only: reading them from disk is ``node``'s work, from a bundle
``ledger.bundle``'s, deciding ``policy``'s.

* A view holds only heads that a quorum cosigned, each with its cosigned time.
* Facts hold only statements with standing whose leaf is in the view. A leaf whose body is not held is no fact; a
  *notice* leaf whose body is not held still is one, because bad news counts before it is understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from watchword.charter.charter import Charter, KeyHolder
from watchword.errors import WatchwordError
from watchword.statements.digests import DJ, b64, unb64
from watchword.statements.kinds import Base64, Count, Text, Time
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time

FORMAT = "watchword-view/1"


LOOSE_FORMAT = "watchword-loose/1"


class BadView(WatchwordError):
    """A view object that is not of the form section 6 states."""


@dataclass(frozen=True)
class Head:
    """A cosigned head: ``size`` leaves, ``root`` 32 bytes, ``time`` the cosigned time (RFC 3339)."""

    size: int
    root: bytes
    time: str


@dataclass(frozen=True)
class View:
    """Cosigned heads by origin. Equal values have equal digests on every node."""

    heads: Mapping[str, Head]

    def value(self) -> dict[str, Any]:
        """The view as the JSON object that its digest is of."""
        heads = {o: {"root": b64(h.root), "size": h.size, "time": h.time} for o, h in self.heads.items()}
        return {"format": FORMAT, "heads": heads}

    @cached_property
    def digest(self) -> str:
        """The digest that a decision names."""
        return DJ(self.value())


def size_in(charter: Charter, view: View, origin: str) -> int:
    """How many leaves of a ledger of the charter count in *view*: those below its head there.

    Where a closed ledger ends is the charter's word, and no head of a view's.
    """
    end, head = charter.origins[origin].end, view.heads.get(origin)
    return end.size if end is not None else 0 if head is None else head.size


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement with standing at a place in a ledger of the view."""

    signed: Signed
    holder: KeyHolder
    origin: str
    index: int


@dataclass(frozen=True, slots=True)
class NoticeLeaf:
    """A leaf of a notices ledger: its blinded name (32 bytes); the statement when its body is held; its holder when
    the statement has standing; its commitment. ``is_junk``: a body is held, and it is no statement."""

    origin: str
    index: int
    blinded: bytes
    signed: Signed | None
    holder: KeyHolder | None
    commitment: bytes = b""
    is_junk: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceLeaf:
    """A leaf of a ``ledger`` that says by its blinded name (32 bytes) what it is about, whose body is not held."""

    origin: str
    index: int
    blinded: bytes
    commitment: bytes


@dataclass(frozen=True)
class Facts:
    """All that a decision may look at besides charter, view, time, subject and use case.

    ``statements`` and ``notices`` are in order of (origin, index). ``loose``: notices with standing that are held from
    any other channel, in order of id. ``secret``: the alliance secret, 32 bytes. ``unheld``: leaves of what a decision
    may consider, for which no statement stands among ``statements``; in order of (origin, index).
    """

    statements: tuple[Fact, ...]
    notices: tuple[NoticeLeaf, ...]
    loose: tuple[Signed, ...]
    secret: bytes = field(repr=False)
    unheld: tuple[EvidenceLeaf, ...] = ()

    @cached_property
    def first_about(self) -> Mapping[str, tuple[Fact, ...]]:
        """The statements by the digest of their first subject, in their order; made once for all that is decided."""
        found: dict[str, list[Fact]] = {}
        for fact in self.statements:
            found.setdefault(fact.signed.statement.subject[0].digest, []).append(fact)
        return {digest: tuple(of) for digest, of in found.items()}

    def with_more(self, added: Iterable[Fact], loose: Iterable[Signed]) -> Facts:
        """These, *added* statements among them, and *loose* notices instead of those that are here."""
        added = tuple(added)
        statements = tuple(sorted((*self.statements, *added), key=_place))
        made = replace(self, statements=statements, loose=tuple(sorted(loose, key=lambda one: one.statement.id)))
        about = dict(self.first_about)
        for fact in added:
            digest = fact.signed.statement.subject[0].digest
            about[digest] = tuple(sorted((*about.get(digest, ()), fact), key=_place))
        made.__dict__["first_about"] = about  # what it would find itself, in a hundredth of the time
        return made


def _place(fact: Fact) -> tuple[str, int]:
    return fact.origin, fact.index


def loose_list(ids: Iterable[str]) -> dict[str, Any]:
    """The ids of loose notices held, as the object whose digest a decision names (section 8)."""
    return {"format": LOOSE_FORMAT, "statements": sorted(set(ids))}


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: Base64
    size: Count
    time: Time


class _View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Text
    heads: dict[Text, _Head]


def parse_view(value: Any) -> View:
    """Read a view object.

    Raises:
        BadView: another form, or a root that is not 32 bytes.
    """
    try:
        raw = msgspec.convert(value, _View, strict=True)
    except msgspec.ValidationError as error:
        raise BadView(f"view: {error}") from error
    if raw.format != FORMAT:
        raise BadView(f"view: format is {raw.format[:40]!r}, this version reads {FORMAT!r}")
    heads = {origin: Head(head.size, unb64(head.root, "root"), head.time) for origin, head in raw.heads.items()}
    for origin, head in heads.items():
        parse_time(head.time)
        if len(head.root) != 32:
            raise BadView(f"view: root of {origin} has {len(head.root)} bytes, not 32")
    return View(heads)
