"""A person's device in software: a passkey's authenticator and the browser before it, or a smartcard.

It signs what it is told to, wrongly where a test says so: what a real one would never do is what a gate has to refuse.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from watchword.statements.digests import b64
from watchword.statements.passkeys import EDDSA, ES256, Passkey, es256_key

ORIGIN = "https://gate.alfa.example"
PRESENT, VERIFIED, COPYABLE = 1, 4, 8


def message(action: str, said: dict[str, Any], charter: str) -> bytes:
    """What is signed, written down from docs/protocol.md, section 9, and not from the package."""
    bound = {
        "action": action, "answer": said["answer"], "asked": said["asked"], "charter": charter,
        "expires": said["expires"], "gate": said["gate"], "hold": said["hold"], "mandate": said["mandate"],
        "preview": said["preview"],
    }  # fmt: skip
    return b"watchword/passkey/v1\n" + rfc8785.dumps(bound)


def challenge(action: str, said: dict[str, Any], charter: str) -> bytes:
    """The 32 bytes that a browser is given."""
    return sha256(message(action, said, charter)).digest()


@dataclass(eq=False)
class Device:
    """One device, registered for one origin; None: a card."""

    origin: str | None = ORIGIN
    alg: int = ES256
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self._p256, self._ed25519 = ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()

    @property
    def passkey(self) -> Passkey:
        point = self._p256.public_key().public_numbers()
        if self.alg == EDDSA:
            key = bytes.fromhex("a4010103272006215820") + self._ed25519.public_key().public_bytes_raw()
        else:
            key = es256_key(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
        return Passkey(self.alg, self.id, key, self.origin)

    @property
    def private_key(self) -> bytes:
        """PKCS#8, for a browser's virtual authenticator."""
        return self._p256.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        return self._ed25519.sign(data) if self.alg == EDDSA else self._p256.sign(data, ec.ECDSA(SHA256()))

    def assertion(
        self, action: str, said: dict[str, Any], charter: str, *, flags: int = PRESENT | VERIFIED, **told: Any
    ) -> dict[str, Any]:
        """The ``assertion`` of an approval *said*; *told* overwrites what the browser says it was asked."""
        given = {"authenticator_data": None, "charter": charter, "client_data": None, "credential": b64(self.id)}
        if self.origin is None:
            return given | {"signature": b64(self.sign(message(action, said, charter)))}
        data, client = self.answer(challenge(action, said, charter), flags=flags, **told)
        given |= {"authenticator_data": b64(data), "client_data": b64(client)}
        return given | {"signature": b64(self.sign(data + sha256(client).digest()))}

    def answer(self, asked: bytes, *, flags: int = PRESENT | VERIFIED, **told: Any) -> tuple[bytes, bytes]:
        """Authenticator data and client data, as a browser writes them (WebAuthn Level 3, 5.8.1.1)."""
        text = b64(asked).rstrip("=").replace("+", "-").replace("/", "_")
        value = {"type": "webauthn.get", "challenge": text, "origin": self.origin, "crossOrigin": False} | told
        host = told.get("host", str(self.origin).partition("//")[2].partition(":")[0])
        value.pop("host", None)
        data = sha256(host.encode()).digest() + bytes([flags]) + (7).to_bytes(4, "big")
        return data, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
