"""Digests, commitments, blinded names, base64 (docs/protocol.md, sections 1 and 5)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import SPOKEN_GROUPS
from watchword.statements.canonical import canonical

SALT_BYTES = 32
ENDPOINT_FORMAT = "watchword-endpoint/1"


class BadDigest(WatchwordError):
    """A text that should be ``sha256:<64 hex digits>`` or base64, and is not."""


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def D(data: bytes) -> str:
    """``sha256:<hex>`` of *data*."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def DJ(value: Any) -> str:
    """``sha256:<hex>`` of the canonical JSON of *value*."""
    return D(canonical(value))


def spoken(digest: str) -> str:
    """A digest as people read it to each other, in any language: SPOKEN_GROUPS groups of five decimal digits."""
    number = int.from_bytes(sha256(b"watchword/spoken/v1\0" + digest.encode())) % 10 ** (5 * SPOKEN_GROUPS)
    text = f"{number:0{5 * SPOKEN_GROUPS}d}"
    return " ".join(text[at : at + 5] for at in range(0, len(text), 5))


def endpoint_digest(said: Mapping[str, Any]) -> str:
    """The release that an ``endpoint`` statement is about, as its fields *said* name it (section 4)."""
    named = {field: said[field] for field in ("supplier", "system", "version")}
    return DJ({**named, "canaries": DJ(said["canaries"]), "format": ENDPOINT_FORMAT})


def parse_digest(text: str) -> bytes:
    """The 32 bytes that a digest text names.

    Raises:
        BadDigest: any other form, upper-case digits included.
    """
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise BadDigest(f"{str(text)[:80]!r} is not a digest", "a digest is written sha256:<64 lower-case hex digits>")
    return bytes.fromhex(text[7:])


def is_digest(text: object) -> bool:
    """Whether *text* is a digest in its one form."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def commitment(salt: bytes, body: bytes) -> bytes:
    """The 32-byte salted commitment to *body* (section 5)."""
    if len(salt) != SALT_BYTES:
        raise BadDigest(f"a salt has {SALT_BYTES} bytes, this one {len(salt)}")
    hashed = hashlib.sha256(b"watchword/commitment/v1\0" + salt)
    hashed.update(body)
    return hashed.digest()


def blinded(secret: bytes, name: str) -> bytes:
    """The 32 bytes a notice against *name* is filed under: only holders of the secret can test a guess."""
    return hmac.digest(secret, name.encode(), "sha256")


def secret_commitment(secret: bytes) -> str:
    """What the charter holds of the alliance secret (section 5)."""
    return D(b"watchword/alliance-secret/v1\0" + secret)


def b64(data: bytes) -> str:
    """Base64 in the standard alphabet, padded."""
    return base64.b64encode(data).decode("ascii")


def b64url(data: bytes) -> str:
    """Base64 in the alphabet for addresses, without padding: as browsers write it (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str, what: str = "base64") -> bytes:
    """Decode base64 strictly: only what re-encodes to itself.

    Raises:
        BadDigest: not base64, or not its canonical form.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadDigest(f"{what}: not base64") from error
    if b64(data) != text:
        raise BadDigest(f"{what}: base64 is not in its canonical form")
    return data


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
