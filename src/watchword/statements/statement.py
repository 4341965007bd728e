"""A statement: a signed fact about subjects named by digest (in-toto Statement v1; docs/protocol.md, section 3).

* A statement's id is the digest of its payload; the payload is canonical JSON.
* Its envelope has exactly one signature, by one composite key.
* A known kind has exactly its fields, some perhaps hidden (``redaction``). An unknown kind parses, is kept and shown,
  and has no ``body``.
* Not decided here: whether the key may say this (see ``charter.standing``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypedDict

import msgspec

from watchword.errors import WatchwordError
from watchword.limits import ENVELOPE_BYTES_MAX, SUBJECTS_MAX
from watchword.statements import dsse
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import D, is_digest
from watchword.statements.keys import PublicKey, SigningKey, verify_signature
from watchword.statements.kinds import KINDS, After, Common, read_predicate, urn
from watchword.statements.times import parse_time, rfc3339

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class BadStatement(WatchwordError):
    """A payload that is not a statement of the form it claims."""


@dataclass(frozen=True, order=True, slots=True)
class Subject:
    """What a statement is about: a name for people, and a ``sha256:`` digest."""

    name: str
    digest: str


@dataclass(frozen=True)
class Statement:
    """A parsed payload. ``kind`` is the short name, or the whole predicate type when it is not ours."""

    kind: str
    subject: tuple[Subject, ...]
    predicate: dict[str, Any]
    payload: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The statement id: the digest of the payload."""
        return D(self.payload)

    @cached_property
    def body(self) -> Common | None:
        """The typed predicate; None for a kind that this version does not know."""
        return read_predicate(self.kind, self.predicate) if self.kind in KINDS else None

    @property
    def issuer(self) -> str:
        """Who says it, by its own words; empty when an unknown kind does not say."""
        return str(self.predicate.get("issuer", ""))

    @property
    def made(self) -> datetime:
        """When its issuer says it was made."""
        return parse_time(self.predicate.get("made", ""))

    def is_about(self, digest: str) -> bool:
        """Whether *digest* is among the subjects."""
        return any(subject.digest == digest for subject in self.subject)


@dataclass(frozen=True, slots=True, eq=False)
class Signed:
    """A statement with its one signature, as found in an envelope. Not verified by being parsed."""

    statement: Statement
    key_id: str
    signature: bytes = field(repr=False)
    envelope: bytes = field(repr=False)

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signed):
            return NotImplemented
        return (self.key_id, self.statement, self.envelope) == (other.key_id, other.statement, other.envelope)


def make(
    kind: str,
    subject: tuple[Subject, ...],
    fields: dict[str, Any],
    *,
    issuer: str,
    made: datetime,
    scope: str | list[str] = "alliance",
    after: After | None = None,
) -> Statement:
    """Build a statement of a known kind.

    Args:
        fields: the kind's own fields, without the common four.
        scope: ``public``, ``alliance``, ``own`` or member names.

    Raises:
        BadStatement: a field missing, unknown or of another type; too many subjects.
    """
    common = {
        "issuer": issuer,
        "made": rfc3339(made),
        "scope": sorted(scope) if isinstance(scope, list) else scope,
        "after": None if after is None else msgspec.to_builtins(after),
    }
    value = {
        "_type": STATEMENT_TYPE,
        "predicate": common | fields,
        "predicateType": urn(kind),
        "subject": [{"digest": {"sha256": s.digest.removeprefix("sha256:")}, "name": s.name} for s in subject],
    }
    if kind not in KINDS:
        raise BadStatement(f"{kind!r} is not a kind of statement", "known kinds: " + ", ".join(KINDS))
    return parse_statement(canonical(value))


def parse_statement(payload: bytes) -> Statement:
    """Parse a payload strictly.

    Raises:
        BadStatement: not a Statement v1, a bad subject, or a known kind whose fields are not exactly its own.
        NotCanonical: not canonical JSON within limits.
    """
    value = parse_canonical(payload, "statement", ENVELOPE_BYTES_MAX)
    if payload.endswith(b"\n"):
        # A file may end with a line feed; signed bytes may not, or one statement would have two envelopes.
        raise BadStatement("statement: ends with a line feed")
    if not isinstance(value, dict) or set(value) != {"_type", "predicate", "predicateType", "subject"}:
        raise BadStatement("statement: fields are _type, predicate, predicateType, subject and no other")
    if value["_type"] != STATEMENT_TYPE:
        raise BadStatement(f"statement: type is {str(value['_type'])[:80]!r}, not {STATEMENT_TYPE!r}")
    if not isinstance(value["predicate"], dict) or not isinstance(value["predicateType"], str):
        raise BadStatement("statement: predicate is not an object, or its type is not text")
    statement = Statement(
        _short(value["predicateType"]), _subjects(value["subject"]), value["predicate"], payload
    )
    try:
        body = statement.body
    except msgspec.ValidationError as error:
        raise BadStatement(f"{statement.kind}: {error}") from error
    if body is not None:
        for name in ("made", "support_until", "deadline", "asked", "expires", "created", "review", "effective",
                     "began", "found", "ended"):
            if getattr(body, name, None) is not None:
                parse_time(getattr(body, name))
        if isinstance(body.scope, list) and body.scope != sorted(set(body.scope)):
            raise BadStatement(f"{statement.kind}: scope is not a sorted list of members")
    return statement


def sign(statement: Statement, key: SigningKey) -> bytes:
    """The canonical envelope of *statement*, signed by *key* (level 65)."""
    signature = dsse.Signature(key.public.id, key.sign(dsse.pae(dsse.IN_TOTO, statement.payload)))
    return dsse.encode(dsse.Envelope(statement.payload, dsse.IN_TOTO, (signature,)))


def open_envelope(data: bytes) -> Signed:
    """Parse an envelope and the statement in it. Nothing is verified.

    Raises:
        BadEnvelope, BadStatement, NotCanonical, BadDigest: malformed; names what.
    """
    envelope = dsse.parse(data)
    one = envelope.signatures[0]
    return Signed(parse_statement(envelope.payload), one.keyid, one.sig, data.removesuffix(b"\n"))


def reopen(data: bytes, bare: Collection[str] = ()) -> tuple[Statement, str]:
    """The statement of an envelope that ``open_envelope`` took before, read again without its checks, and the id of the
    key that it names. Equal to what that gave; bytes that it never took give anything.

    Args:
        bare: kinds of which the predicate holds nothing but what is common to all.

    Raises:
        msgspec.DecodeError: it never was one.
    """
    envelope = _ENVELOPE.decode(data)
    value = _PAYLOAD.decode(envelope.payload)
    kind = _short(value.predicateType)
    predicate: dict[str, Any] = (_BARE if kind in bare else _WHOLE).decode(value.predicate)
    subjects = tuple([Subject(one.name, f"sha256:{one.digest.sha256}") for one in value.subject])
    return Statement(kind, subjects, predicate, envelope.payload), envelope.signatures[0].keyid


class _Sig(msgspec.Struct, frozen=True, gc=False):
    keyid: str


class _Envelope(msgspec.Struct, frozen=True):
    payload: bytes
    signatures: tuple[_Sig, ...]


class _Digest(msgspec.Struct, frozen=True, gc=False):
    sha256: str


class _Named(msgspec.Struct, frozen=True, gc=False):
    name: str
    digest: _Digest


class _Payload(msgspec.Struct, frozen=True):
    predicate: msgspec.Raw
    predicateType: str  # as in-toto spells it
    subject: tuple[_Named, ...]


class _Common(TypedDict, total=False):
    after: Any
    issuer: Any
    made: Any
    scope: Any


_ENVELOPE, _PAYLOAD = msgspec.json.Decoder(_Envelope), msgspec.json.Decoder(_Payload)
_WHOLE: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_BARE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Common)


def verify(signed: Signed, public: PublicKey) -> None:
    """Check the signature of *signed* by *public*.

    Raises:
        BadSignature: either half does not verify.
    """
    verify_signature(public, signed.signature, dsse.pae(dsse.IN_TOTO, signed.statement.payload))


_KIND_OF = {urn(kind): kind for kind in KINDS}


def _short(predicate_type: str) -> str:
    if (kind := _KIND_OF.get(predicate_type)) is not None:
        return kind
    # A bare word is no type: it must not pass for the kind whose short name it is.
    return predicate_type if ":" in predicate_type else f"no-type:{predicate_type}"


def _subjects(value: Any) -> tuple[Subject, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= SUBJECTS_MAX:
        raise BadStatement(f"statement: has 1 to {SUBJECTS_MAX} subjects")
    subjects = []
    for one in value:
        if not isinstance(one, dict) or set(one) != {"digest", "name"} or not isinstance(one["name"], str):
            raise BadStatement("statement: a subject has name and digest and no other field")
        digests = one["digest"]
        only_sha256 = isinstance(digests, dict) and set(digests) == {"sha256"}
        digest = f"sha256:{digests['sha256']}" if only_sha256 else ""
        if not is_digest(digest):
            raise BadStatement(f"statement: subject {one['name'][:80]!r} has no sha256 digest alone")
        subjects.append(Subject(one["name"], digest))
    return tuple(subjects)
