"""What the kinds of statement are made of: the field types of docs/protocol.md, section 4, and the parts they share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=4096)]
Digest = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
Time = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Decimal = Annotated[str, Meta(pattern=r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", max_length=40)]
Base64 = Annotated[str, Meta(pattern="^[A-Za-z0-9+/]*={0,2}$", max_length=8192)]
NoteText = Annotated[str, Meta(max_length=65_536)]
CedarText = Annotated[str, Meta(max_length=65_536)]
Scope = Literal["public", "alliance", "own"] | Annotated[list[Text], Meta(min_length=1, max_length=256)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class After(Strict, frozen=True, kw_only=True):
    """A head of another member's ledger that the issuer had seen: the statement is not older."""

    origin: Text
    root: Base64
    size: Count


class Common(Strict, frozen=True, kw_only=True):
    """What every predicate carries. ``scope``: who may hold the body."""

    issuer: Text
    made: Time
    scope: Scope
    after: After | None


class Attachment(Strict, frozen=True, kw_only=True):
    """A document kept beside the statement, named by its salted commitment."""

    bytes: Count
    commitment: Digest
    media_type: Text
    name: Text


class Tool(Strict, frozen=True, kw_only=True):
    """What made the evidence."""

    name: Text
    version: Text


class Condition(Strict, frozen=True, kw_only=True):
    """One comparison of the predicate grammar (section 8)."""

    field: Text
    op: Text
    value: Any


class Assertion(Strict, frozen=True, kw_only=True):
    """What a person's device signed, as ``statements.passkeys`` checks it. ``charter``: by which he answered."""

    authenticator_data: Base64 | None
    charter: Digest
    client_data: Base64 | None
    credential: Base64
    signature: Base64
