"""A member's signed request for bodies, and who may be answered. Pure: the disk is ``node``'s business.

Follows docs/protocol.md, section 11.

* Signed by the member's witness key: the key that a node has at hand when it talks to others. No cosignature has this
  form or this context, so that neither can pass for the other.
* Bound to the member that is asked and to a time: who was asked cannot ask a third one with it, or next week.
* Unsigned, it comes from anybody, who gets bodies of public scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.charter.charter import BadCharter, Charter
from watchword.errors import WatchwordError
from watchword.limits import BODIES_ASKED_MAX, CLOCK_AHEAD_S_MAX, DEMAND_BYTES_MAX
from watchword.statements.canonical import NotCanonical, canonical, parse_canonical
from watchword.statements.digests import b64, unb64
from watchword.statements.keys import SIGNATURE_BYTES, BadSignature, SigningKey, verify_ed25519, verify_mldsa
from watchword.statements.kinds import Digest, Strict, Text, Time
from watchword.statements.times import BadTime, unix

FORMAT = "watchword-demand/1"
CONTEXT = b"watchword/demand/v1"
_LEVEL = 44


class BadDemand(WatchwordError):
    """A request for bodies that is malformed, late, for somebody else, or not signed by whom it names."""


class _Demand(Strict, frozen=True, kw_only=True):
    charter: Digest
    format: Literal["watchword-demand/1"]
    loose: Digest | None
    sender: Text | None = msgspec.field(name="from")
    time: Time
    to: Text
    want: Annotated[list[Digest], Meta(max_length=BODIES_ASKED_MAX)]


class _Signed(Strict, frozen=True, kw_only=True):
    demand: _Demand
    signature: Annotated[str, Meta(max_length=8192)] | None


@dataclass(frozen=True)
class Demand:
    """``want``: commitments (32 bytes); ``loose``: digest of the loose notices that the asker was last told, if any."""

    sender: str | None
    want: tuple[bytes, ...]
    loose: str | None


def sign_demand(
    charter: Charter, sender: str, to: str, time: str, want: Sequence[bytes], loose: str | None, key: SigningKey
) -> bytes:
    """The bytes of a request by the member *sender* to the member *to*, signed with its witness key."""
    value = _value(charter, sender, to, time, want, loose)
    message = _message(value)
    signature = key.sign_ed25519(message) + key.sign_mldsa(message, CONTEXT)
    return canonical({"demand": value, "signature": b64(signature)})


def parse_demand(charter: Charter, me: str, data: bytes, now_s: int) -> Demand:
    """Read a request and check, in this order:

    1. Canonical, of this form, within limits. 2. Under this charter and for this member. 3. Its time is ours, within
    CLOCK_AHEAD_S_MAX either way. 4. With a sender: a member, and both halves of its witness key verify. Else unsigned.

    Raises:
        BadDemand: the first of these that fails.
    """
    # 1
    try:
        value = parse_canonical(data, "request", DEMAND_BYTES_MAX)
        raw = msgspec.convert(value, _Signed, strict=True)
    except (NotCanonical, msgspec.ValidationError) as error:
        raise BadDemand(f"request: {error}") from error
    asked = raw.demand
    # 2
    if asked.charter != charter.digest:
        raise BadDemand(f"request is under charter {asked.charter}, this node has {charter.digest}")
    if asked.to != me:
        raise BadDemand(f"request is for {asked.to[:80]!r}, this is {me}")
    # 3
    try:
        asked_s = unix(asked.time)
    except BadTime as error:
        raise BadDemand(f"request: {error.message}") from error
    if abs(asked_s - now_s) > CLOCK_AHEAD_S_MAX:
        raise BadDemand(f"request is of {asked.time}, not of now", "compare the clocks of both nodes")
    # 4
    if (asked.sender is None) != (raw.signature is None):
        raise BadDemand("request is signed by nobody, or names nobody who signed it")
    if asked.sender is not None and raw.signature is not None:
        _verify(charter, asked.sender, raw.signature, _message(value["demand"]))
    want = tuple(bytes.fromhex(one.removeprefix("sha256:")) for one in asked.want)
    return Demand(asked.sender, want, asked.loose)


def _verify(charter: Charter, sender: str, encoded: str, message: bytes) -> None:
    try:
        key = charter.member(sender).key("witness")
        signature = unb64(encoded, "signature of a request")
        if len(signature) != 64 + SIGNATURE_BYTES[_LEVEL]:
            raise BadSignature(f"signature has {len(signature)} bytes")
        verify_ed25519(key.ed25519, signature[:64], message)
        verify_mldsa(_LEVEL, key.mldsa, signature[64:], message, CONTEXT)
    except BadCharter as error:
        raise BadDemand(f"request is from {sender[:80]!r}, which is no member") from error
    except WatchwordError as error:
        raise BadDemand(f"request of {sender}: {error.message}") from error


def _value(
    charter: Charter, sender: str, to: str, time: str, want: Sequence[bytes], loose: str | None
) -> dict[str, Any]:
    named = [f"sha256:{one.hex()}" for one in want]
    return {
        "charter": charter.digest, "format": FORMAT, "from": sender, "loose": loose, "time": time, "to": to,
        "want": named,
    }  # fmt: skip


def _message(value: dict[str, Any]) -> bytes:
    return CONTEXT + b"\n" + canonical(value)
