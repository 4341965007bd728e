"""A bundle: ledgers, bodies and notices in one file, for another member (exchange) or for an auditor (proof).

Follows docs/protocol.md, section 10. Pure: bytes in, a value out, and back; nothing in it is verified by being parsed.

* The bytes are the one encoding of the value: what does not re-encode to itself, order included, is refused.
* Types are checked while the bytes are read, so that hostile input cannot be cheap to send and dear to hold.
* What is in it is judged in ``ledger.proof`` (a proof) and ``ledger.exchange`` (an exchange).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from watchword.errors import WatchwordError
from watchword.limits import BUNDLE_BYTES_MAX, ENTRY_BYTES_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX
from watchword.statements.canonical import NotCanonical, canonical, parse_json
from watchword.statements.digests import DJ, BadDigest, b64, commitment, unb64
from watchword.statements.kinds import Count, Digest, Strict, Text, Time
from watchword.statements.times import BadTime, parse_time

FORMAT = "watchword-bundle/1"

_NoteText = Annotated[str, Meta(max_length=NOTE_BYTES_MAX)]
_Hash = Annotated[str, Meta(pattern="^[A-Za-z0-9+/]{43}=$")]
_Path = Annotated[list[_Hash], Meta(max_length=PROOF_HASHES_MAX)]
_Entry = Annotated[str, Meta(max_length=ENTRY_BYTES_MAX * 4 // 3 + 4)]


class BadBundle(WatchwordError):
    """A file that is not a bundle of the form section 10 states."""


@dataclass(frozen=True)
class Earlier:
    """An older head of a ledger: its signed note, and the consistency path from it to the ledger's checkpoint."""

    note: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Inclusion:
    """One entry of a ledger with its inclusion path, leaf to root, under the ledger's checkpoint."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class LedgerPart:
    """What a bundle holds of one ledger: ``entries`` are those from ``start`` on."""

    origin: str
    note: bytes
    earlier: tuple[Earlier, ...] = ()
    start: int = 0
    entries: tuple[bytes, ...] = ()
    proofs: tuple[Inclusion, ...] = ()


@dataclass(frozen=True)
class Body:
    """A body with its salt. ``sort``: ``envelope`` and ``receipt`` are canonical JSON, ``content`` any bytes."""

    sort: Literal["envelope", "receipt", "content"]
    salt: bytes
    data: bytes = field(repr=False)

    @cached_property
    def commitment(self) -> bytes:
        """The 32 bytes that a leaf or an attachment states."""
        return commitment(self.salt, self.data)


@dataclass(frozen=True)
class Bundle:
    """A whole bundle. ``charter`` is a digest, ``sender`` and ``to`` are members, ``loose`` are envelopes."""

    purpose: Literal["proof", "exchange"]
    charter: str
    sender: str
    to: str | None
    made: str
    ledgers: tuple[LedgerPart, ...]
    bodies: tuple[Body, ...]
    loose: tuple[bytes, ...] = ()
    objects: tuple[Any, ...] = ()
    alliance_secret: bytes | None = field(default=None, repr=False)
    as_of: str | None = None
    names: tuple[str, ...] | None = None
    decisions: tuple[str, ...] = ()

    @cached_property
    def objects_by_digest(self) -> dict[str, Any]:
        """The objects, each under its ``DJ``."""
        return {DJ(value): value for value in self.objects}


class _Signature(Strict, frozen=True, kw_only=True):
    keyid: Digest
    sig: str


class _Envelope(Strict, frozen=True, kw_only=True):
    payload: str
    payloadType: Text
    signatures: Annotated[list[_Signature], Meta(min_length=1, max_length=1)]


class _Earlier(Strict, frozen=True, kw_only=True):
    checkpoint: _NoteText
    path: _Path


class _Inclusion(Strict, frozen=True, kw_only=True):
    index: Count
    leaf: _Entry
    path: _Path


class _Ledger(Strict, frozen=True, kw_only=True):
    origin: Text
    checkpoint: _NoteText
    earlier: list[_Earlier]
    start: Count
    leaves: list[_Entry]
    proofs: list[_Inclusion]


class _Body(Strict, frozen=True, kw_only=True, omit_defaults=True):
    salt: _Hash
    envelope: _Envelope | UnsetType = UNSET
    receipt: dict[str, Any] | UnsetType = UNSET
    content: str | UnsetType = UNSET


class _Bundle(Strict, frozen=True, kw_only=True):
    format: Text
    purpose: Literal["proof", "exchange"]
    charter: Digest
    from_: Text = msgspec.field(name="from")
    to: Text | None
    made: Time
    alliance_secret: _Hash | None
    as_of: Time | None
    names: list[Text] | None
    decisions: list[Digest]
    ledgers: list[_Ledger]
    bodies: list[_Body]
    loose: list[_Envelope]
    objects: list[dict[str, Any]]


def encode(bundle: Bundle) -> bytes:
    """The bundle's one encoding: canonical JSON; ledgers by origin, bodies by commitment, objects by digest."""
    objects = bundle.objects_by_digest
    return canonical(
        {
            "format": FORMAT,
            "purpose": bundle.purpose,
            "charter": bundle.charter,
            "from": bundle.sender,
            "to": bundle.to,
            "made": bundle.made,
            "alliance_secret": None if bundle.alliance_secret is None else b64(bundle.alliance_secret),
            "as_of": bundle.as_of,
            "names": None if bundle.names is None else list(bundle.names),
            "decisions": list(bundle.decisions),
            "ledgers": [_ledger_value(part) for part in sorted(bundle.ledgers, key=lambda part: part.origin)],
            "bodies": [_body_value(body) for body in sorted(bundle.bodies, key=lambda body: body.commitment)],
            "loose": [msgspec.json.decode(envelope) for envelope in bundle.loose],
            "objects": [objects[digest] for digest in sorted(objects)],
        }
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a bundle: what a guard between two networks can check before it lets a file pass."""
    return msgspec.json.schema(_Bundle)


def parse_bundle(data: bytes, what: str) -> Bundle:
    """Read a bundle.

    Args:
        data: at most BUNDLE_BYTES_MAX bytes; one line feed may follow.
        what: names the input in an error.

    Raises:
        BadBundle: cut off, of another form or order, or a field of another type. Names *what*, and where.
    """
    if len(data) > BUNDLE_BYTES_MAX:
        raise BadBundle(f"{what}: {len(data):,} bytes, a bundle has at most {BUNDLE_BYTES_MAX:,}")
    try:
        raw = msgspec.json.decode(data, type=_Bundle)
        if raw.format != FORMAT:
            raise BadBundle(f"{what}: format is {raw.format[:40]!r}, this version reads {FORMAT!r}")
        bundle = _bundle(raw)
        for time in (raw.made, raw.as_of):
            if time is not None:
                parse_time(time)
        same = encode(bundle) == data.removesuffix(b"\n")
    except msgspec.ValidationError as error:
        raise BadBundle(f"{what}: {error}", "it is not a bundle of this version") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBundle(
            f"{what}: {_where_cut(data, error)}", "ask its sender again; nothing from it was used"
        ) from error
    except (BadDigest, BadTime, NotCanonical) as error:
        raise BadBundle(f"{what}: {error.message}", "ask its sender again; nothing from it was used") from error
    if not same:
        raise BadBundle(
            f"{what}: not the one encoding of what it says (RFC 8785, and in order)",
            "it was changed, or its writer does not follow the protocol; nothing from it was used",
        )
    for value in bundle.objects:
        # Bounds that the typed reading does not know: nesting and integers of free-form objects.
        parse_json(canonical(value), f"{what}: object", BUNDLE_BYTES_MAX)
    return bundle


def _bundle(raw: _Bundle) -> Bundle:
    return Bundle(
        purpose=raw.purpose,
        charter=raw.charter,
        sender=raw.from_,
        to=raw.to,
        made=raw.made,
        ledgers=tuple(_ledger(one) for one in raw.ledgers),
        bodies=tuple(_body(one) for one in raw.bodies),
        loose=tuple(canonical(msgspec.to_builtins(one)) for one in raw.loose),
        objects=tuple(raw.objects),
        alliance_secret=None if raw.alliance_secret is None else unb64(raw.alliance_secret, "alliance secret"),
        as_of=raw.as_of,
        names=None if raw.names is None else tuple(raw.names),
        decisions=tuple(raw.decisions),
    )


def _ledger(raw: _Ledger) -> LedgerPart:
    return LedgerPart(
        raw.origin,
        raw.checkpoint.encode(),
        tuple(Earlier(one.checkpoint.encode(), _hashes(one.path)) for one in raw.earlier),
        raw.start,
        tuple(unb64(leaf, f"leaf of {raw.origin}") for leaf in raw.leaves),
        tuple(Inclusion(one.index, unb64(one.leaf, f"leaf of {raw.origin}"), _hashes(one.path)) for one in raw.proofs),
    )


def _body(raw: _Body) -> Body:
    salt = unb64(raw.salt, "salt")
    given = [raw.envelope is not UNSET, raw.receipt is not UNSET, raw.content is not UNSET]
    if sum(given) != 1:
        raise NotCanonical("a body has one of envelope, receipt and content")
    if not isinstance(raw.envelope, UnsetType):
        return Body("envelope", salt, canonical(msgspec.to_builtins(raw.envelope)))
    if not isinstance(raw.receipt, UnsetType):
        return Body("receipt", salt, canonical(raw.receipt))
    return Body("content", salt, unb64(str(raw.content), "content"))


def _hashes(path: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(unb64(one, "proof hash") for one in path)


def _ledger_value(part: LedgerPart) -> dict[str, Any]:
    return {
        "origin": part.origin,
        "checkpoint": part.note.decode(),
        "earlier": [{"checkpoint": one.note.decode(), "path": [b64(h) for h in one.path]} for one in part.earlier],
        "start": part.start,
        "leaves": [b64(entry) for entry in part.entries],
        "proofs": [
            {"index": one.index, "leaf": b64(one.entry), "path": [b64(h) for h in one.path]} for one in part.proofs
        ],
    }


def _body_value(body: Body) -> dict[str, Any]:
    value = b64(body.data) if body.sort == "content" else msgspec.json.decode(body.data)
    return {"salt": b64(body.salt), body.sort: value}


def _where_cut(data: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if "truncated" in str(error):
        return f"cut off after {len(data):,} bytes"
    return f"not JSON: {error}"
