"""Signatures by a person's device: a passkey (WebAuthn), or a key on a smartcard (PIV). Pure: no device, no network.

Follows docs/protocol.md, sections 7 (``passkeys``) and 9 ("By a passkey"), and WebAuthn Level 3, section 7.2. The
numbers in ``verify_assertion`` are these:

1. what is signed is a digest of everything that the approval binds (``challenge``), and of nothing else;
2. of a passkey: it was asked as ``webauthn.get`` at exactly the origin that the charter pins, by that page itself;
3. its authenticator was asked for that origin's host, a person was there, and the device verified him;
4. the passkey is bound to one device: one that can be copied to others is refused;
5. the signature verifies with the public key in the charter: ES256 (P-256, DER, RFC 9053) or EdDSA (Ed25519, strict).

* A card signs the same message without a browser: its pinned origin is None, 2 to 4 do not apply, a PIN is its own.
* Neither algorithm withstands a quantum computer. The statement around it is signed by the member's gate key, which
  does: who can forge the one still lacks the other.
* Not checked: the signature counter (many devices count nothing), and which make a device is (no attestation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from watchword.errors import WatchwordError
from watchword.limits import AUTHENTICATOR_DATA_BYTES_MAX, CLIENT_DATA_BYTES_MAX, CREDENTIAL_BYTES_MAX
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import DJ, b64, b64url, unb64
from watchword.statements.keys import BadSignature, verify_ed25519

TAG = b"watchword/passkey/v1\n"
SIGN_IN_TAG = b"watchword/sign-in/v1\n"
BOUND = ("answer", "asked", "expires", "gate", "hold", "mandate", "preview")
"""The fields of an approval that its challenge holds, beside the action and the charter."""

ES256, EDDSA = -7, -8
# The canonical CBOR (CTAP 2.1, section 8) of the only two forms of COSE key that are taken; coordinates in between.
_ES256_HEAD, _ES256_MIDDLE = bytes.fromhex("a5010203262001215820"), bytes.fromhex("225820")
_EDDSA_HEAD = bytes.fromhex("a4010103272006215820")
_PRESENT, _VERIFIED, _COPYABLE = 0x01, 0x04, 0x08
_ORIGIN = re.compile(r"https://[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?|http://localhost(:[1-9][0-9]{0,4})?")


class BadPasskey(WatchwordError):
    """A passkey object that is not of the form section 7 states."""


class BadAssertion(WatchwordError):
    """What a device signed is not this, not so, or not by it."""


@dataclass(frozen=True)
class Passkey:
    """A person's device as the charter lists it: ``id`` its credential, ``key`` COSE bytes, ``origin`` of the page."""

    alg: int
    id: bytes
    key: bytes = field(repr=False)
    origin: str | None

    @property
    def fingerprint(self) -> str:
        """What two people compare before the charter takes it in."""
        return DJ(self.value())

    @property
    def host(self) -> str | None:
        """The relying party id: the host of the origin, whole."""
        return None if self.origin is None else urlsplit(self.origin).hostname

    def value(self) -> dict[str, Any]:
        """The object as the charter holds it."""
        return {"alg": self.alg, "id": b64(self.id), "key": b64(self.key), "origin": self.origin}


def parse_passkey(value: Mapping[str, Any]) -> Passkey:
    """Read a passkey object whose fields have their types.

    Raises:
        BadPasskey: an algorithm, key, id or origin that is not taken.
    """
    alg, id, key, origin = value["alg"], unb64(value["id"], "id"), unb64(value["key"], "key"), value["origin"]
    if not 16 <= len(id) <= CREDENTIAL_BYTES_MAX:
        raise BadPasskey(f"passkey: an id of {len(id)} bytes, not 16 to {CREDENTIAL_BYTES_MAX:,}")
    if origin is not None:
        check_origin(origin)
    if alg == ES256 and len(key) == 77 and key[:10] == _ES256_HEAD and key[42:45] == _ES256_MIDDLE:
        _p256(key)
    elif alg != EDDSA or len(key) != 42 or key[:10] != _EDDSA_HEAD:
        raise BadPasskey(f"passkey: no COSE key of algorithm {alg}", "ES256 (-7) and EdDSA (-8) are taken")
    return Passkey(alg, id, key, origin)


def read_passkey(data: bytes) -> Passkey:
    """A passkey object from its file; one final line feed may follow.

    Raises:
        BadPasskey, NotCanonical: not one.
    """
    value = parse_canonical(data.removesuffix(b"\n"), "passkey")
    texts = isinstance(value, dict) and value.keys() == {"alg", "id", "key", "origin"}
    if not texts or not all(isinstance(value[name], str) for name in ("id", "key")):
        raise BadPasskey("passkey: not an object with alg, id, key and origin")
    if not isinstance(value["origin"], str | None):
        raise BadPasskey("passkey: its origin is no text")
    return parse_passkey(value)


def card_of(data: bytes) -> Passkey:
    """The passkey object of a smartcard's public key, from its SubjectPublicKeyInfo (PEM or DER).

    Raises:
        BadPasskey: not a P-256 or Ed25519 key.
    """
    try:
        read = load_pem_public_key if data.lstrip().startswith(b"-----") else load_der_public_key
        public = read(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadPasskey("card: not a public key in PEM or DER", "such as pkcs11-tool --read-object gives") from error
    if isinstance(public, Ed25519PublicKey):
        alg, key = EDDSA, _EDDSA_HEAD + public.public_bytes_raw()
    elif isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        point = public.public_numbers()
        alg, key = ES256, es256_key(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
    else:
        raise BadPasskey("card: its key is neither on P-256 nor Ed25519", "a PIV card makes P-256 keys in slot 9c")
    return Passkey(alg, sha256(key).digest(), key, None)


def check_origin(origin: str) -> str:
    """*origin*, where a passkey can be pinned to it. Raises BadPasskey."""
    if not _ORIGIN.fullmatch(origin):
        raise BadPasskey(f"passkey: {origin[:80]!r} is no origin", "such as https://gate.alfa.example, in lower case")
    return origin


def es256_key(x: bytes, y: bytes) -> bytes:
    """The COSE key of a point on P-256, 32 bytes each."""
    return _ES256_HEAD + x + _ES256_MIDDLE + y


def message(action: str, said: Mapping[str, Any], charter: str) -> bytes:
    """What a device's signature is about: the action's digest, the fields of the approval, the charter's digest."""
    return TAG + canonical({"action": action, "charter": charter} | {name: said[name] for name in BOUND})


def challenge(action: str, said: Mapping[str, Any], charter: str) -> bytes:
    """The 32 bytes that a passkey is asked to sign: SHA-256 of ``message``."""
    return sha256(message(action, said, charter)).digest()


def verify_assertion(passkey: Passkey, action: str, said: Mapping[str, Any]) -> None:
    """Check that the device of *passkey* signed the approval *said*, whose ``assertion`` is set, of *action*.

    Raises:
        BadAssertion: the first of the module's rules that fails.
    """
    given = said["assertion"]
    signature = unb64(given["signature"], "signature")
    if unb64(given["credential"], "credential") != passkey.id:
        raise BadAssertion("it was made with another passkey")
    # 1
    signed = message(action, said, given["charter"])
    if passkey.origin is not None:
        data, client = (_bytes(given, name) for name in ("authenticator_data", "client_data"))
        _check_client(passkey, client, sha256(signed).digest())
        _check_authenticator(passkey, data)
        signed = data + sha256(client).digest()
    elif given["authenticator_data"] is not None or given["client_data"] is not None:
        raise BadAssertion("a card's signature has no browser's data beside it")
    # 5
    _check_signature(passkey, signature, signed)


def sign_in_challenge(nonce: bytes) -> bytes:
    """What a passkey is asked to sign to open a session at a page: no approval's challenge is made like it."""
    return sha256(SIGN_IN_TAG + nonce).digest()


def verify_sign_in(passkey: Passkey, nonce: bytes, data: bytes, client: bytes, signature: bytes) -> None:
    """Check that the device of *passkey*, which has an origin, signed the challenge of *nonce*: rules 2 to 5.

    Args:
        data, client: authenticator data and client data, as the browser handed them over.

    Raises:
        BadAssertion: the first rule that fails.
    """
    if len(data) > AUTHENTICATOR_DATA_BYTES_MAX or len(client) > CLIENT_DATA_BYTES_MAX:
        raise BadAssertion("what the browser handed over is too long")
    _check_client(passkey, client, sign_in_challenge(nonce))
    _check_authenticator(passkey, data)
    _check_signature(passkey, signature, data + sha256(client).digest())


def _bytes(given: Mapping[str, Any], name: str) -> bytes:
    limit = CLIENT_DATA_BYTES_MAX if name == "client_data" else AUTHENTICATOR_DATA_BYTES_MAX
    data = unb64(given[name] or "", name)
    if not 0 < len(data) <= limit:
        raise BadAssertion(f"{name} has {len(data):,} bytes, not 1 to {limit:,}")
    return data


def _check_client(passkey: Passkey, data: bytes, expected: bytes) -> None:
    """By the limited verification of section 5.8.1.2: browsers write these four members first, and in one form."""
    asked, _, rest = data.partition(b'","origin":"')
    if asked != b'{"type":"webauthn.get","challenge":"' + b64url(expected).encode():
        raise BadAssertion("what was signed is not this action, answer, hold, screen, charter and time")
    # 2
    origin, _, rest = rest.partition(b'","crossOrigin":')
    if origin != str(passkey.origin).encode():
        raise BadAssertion(f"it was asked for at {origin[:80].decode('ascii', 'replace')!r}, not at {passkey.origin}")
    if not rest.startswith((b"false}", b"false,")):
        raise BadAssertion("it was asked for by a page inside another page")


def _check_authenticator(passkey: Passkey, data: bytes) -> None:
    # 3
    if len(data) < 37 or data[:32] != sha256(str(passkey.host).encode()).digest():
        raise BadAssertion(f"its device was not asked for {passkey.host}")
    flags = data[32]
    if not flags & _PRESENT or not flags & _VERIFIED:
        raise BadAssertion("its device did not verify who was there", "set a PIN or a fingerprint on the device")
    # 4
    if flags & _COPYABLE:
        raise BadAssertion("its passkey can be copied to other devices", "register one that is bound to its device")


def _check_signature(passkey: Passkey, signature: bytes, signed: bytes) -> None:
    try:
        if passkey.alg == EDDSA:
            verify_ed25519(passkey.key[10:], signature, signed)
        else:
            _p256(passkey.key).verify(signature, signed, ec.ECDSA(SHA256()))
    except (BadSignature, InvalidSignature, ValueError) as error:
        raise BadAssertion("its signature does not verify with the key in the charter") from error


def _p256(key: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key[10:42] + key[45:])
    except ValueError as error:
        raise BadPasskey("passkey: its key is no point on P-256") from error
