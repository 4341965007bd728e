"""DSSE envelopes (secure-systems-lab/dsse v1.0.2; docs/protocol.md, section 3).

* The payload that was verified is the payload that is parsed; nothing is read from the envelope again.
* ``keyid`` is a hint, never trusted.
* ``strict`` is watchword's own form: canonical JSON, standard base64, exactly one signature. Without it, envelopes of
  other tools are read as the specification says: both base64 alphabets, unknown fields, several signatures.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.statements.canonical import canonical, parse_canonical, parse_json
from watchword.statements.digests import b64, unb64

IN_TOTO = "application/vnd.in-toto+json"
SIGNATURES_MAX = 64
"""Signatures in a foreign envelope. Origin: an alliance of 32 with two keys each."""


class BadEnvelope(WatchwordError):
    """An envelope that is malformed, or not in watchword's strict form where that is asked."""


@dataclass(frozen=True)
class Signature:
    """One signature: ``keyid`` as stated by the signer, ``sig`` raw bytes."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload, its type, and who signed it. Nothing in it is verified by being parsed."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def as_value(envelope: Envelope) -> dict[str, Any]:
    """The envelope as JSON data."""
    return {
        "payload": b64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"keyid": s.keyid, "sig": b64(s.sig)} for s in envelope.signatures],
    }


def encode(envelope: Envelope) -> bytes:
    """The envelope as canonical JSON."""
    return canonical(as_value(envelope))


def parse(data: bytes, *, strict: bool = True) -> Envelope:
    """Parse an envelope.

    Raises:
        BadEnvelope: not of the form asked for.
        NotCanonical: not JSON within limits or, when strict, not canonical.
    """
    if strict:
        value = parse_canonical(data, "envelope", ENVELOPE_BYTES_MAX)
        return _strict(value)
    return _foreign(parse_json(data, "envelope", ENVELOPE_BYTES_MAX))


def _strict(value: Any) -> Envelope:
    if not isinstance(value, dict) or set(value) != {"payload", "payloadType", "signatures"}:
        raise BadEnvelope("envelope: fields are payload, payloadType, signatures and no other")
    signatures = value["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise BadEnvelope("envelope: a statement has exactly one signature")
    one = signatures[0]
    if not isinstance(one, dict) or set(one) != {"keyid", "sig"} or not isinstance(one["keyid"], str):
        raise BadEnvelope("envelope: a signature has keyid and sig and no other field")
    if value["payloadType"] != IN_TOTO:
        raise BadEnvelope(f"envelope: payload type is {str(value['payloadType'])[:80]!r}, not {IN_TOTO!r}")
    payload = unb64(value["payload"], "envelope payload")
    return Envelope(payload, IN_TOTO, (Signature(one["keyid"], unb64(one["sig"], "envelope signature")),))


def _foreign(value: Any) -> Envelope:
    if not isinstance(value, dict):
        raise BadEnvelope("envelope: not an object")
    payload_type, signatures = value.get("payloadType"), value.get("signatures")
    if not isinstance(payload_type, str) or not isinstance(signatures, list):
        raise BadEnvelope("envelope: payloadType or signatures missing")
    if not 1 <= len(signatures) <= SIGNATURES_MAX:
        raise BadEnvelope(f"envelope: {len(signatures)} signatures, 1 to {SIGNATURES_MAX} are read")
    read = []
    for one in signatures:
        if not isinstance(one, dict):
            raise BadEnvelope("envelope: a signature is not an object")
        keyid = one.get("keyid") or ""
        if not isinstance(keyid, str):
            raise BadEnvelope("envelope: a keyid is not text")
        read.append(Signature(keyid, _either_base64(one.get("sig"), "signature")))
    return Envelope(_either_base64(value.get("payload"), "payload"), payload_type, tuple(read))


def _either_base64(text: Any, what: str) -> bytes:
    if not isinstance(text, str):
        raise BadEnvelope(f"envelope: {what} is not text")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope(f"envelope: {what} is not base64") from error
