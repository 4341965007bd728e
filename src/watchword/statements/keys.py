"""Signing keys of suite 1: two halves that must both verify (docs/protocol.md, section 2).

* Ed25519 (RFC 8032, strict: see ``ed25519``) and ML-DSA (FIPS 204) of level 44 for heads, 65 for statements.
* A key file holds two PKCS#8 blocks, encrypted with PBES2 (scrypt, AES-256-CBC), mode 0600, and is never overwritten.
* In place of its Ed25519 block a key file may hold ``signer-uri: <URI>`` and the public half: that half then signs
  in a PKCS#11 token (``pkcs11``) or through securesystemslib (KMS), and the ML-DSA half stays in the file.
* ML-DSA signing is hedged: two signatures of one message differ.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from watchword.errors import WatchwordError
from watchword.limits import KEY_FILE_BYTES_MAX
from watchword.statements import ed25519, pkcs8
from watchword.statements.digests import D, b64, unb64

SUITE = 1
CONTEXT = b"watchword/suite-1"
"""The ML-DSA context of statement signatures: that half alone is no signature of anything else."""

PUBLIC_BYTES = {44: 1312, 65: 1952}
SIGNATURE_BYTES = {44: 2420, 65: 3309}
_PRIVATE: dict[int, Any] = {44: mldsa.MLDSA44PrivateKey, 65: mldsa.MLDSA65PrivateKey}
_PUBLIC: dict[int, Any] = {44: mldsa.MLDSA44PublicKey, 65: mldsa.MLDSA65PublicKey}

Passphrase = Callable[[], bytes] | bytes | None


class BadSignature(WatchwordError):
    """A signature that does not verify, or is of a form that no verifier of suite 1 accepts."""


class KeyTrouble(WatchwordError):
    """A key file that cannot be read or written, or a signer that does not answer as its key should."""


@dataclass(frozen=True)
class PublicKey:
    """Both public halves: ``ed25519`` 32 bytes, ``mldsa`` 1,312 (level 44) or 1,952 bytes (level 65)."""

    ed25519: bytes
    mldsa: bytes
    level: int

    def __post_init__(self) -> None:
        if self.level not in PUBLIC_BYTES or len(self.mldsa) != PUBLIC_BYTES[self.level] or len(self.ed25519) != 32:
            sizes = f"{len(self.ed25519)} and {len(self.mldsa)} bytes"
            raise KeyTrouble(f"public key of level {self.level}: halves of {sizes}")

    @cached_property
    def id(self) -> str:
        """The key id: a digest over suite, level and both halves."""
        return D(b"watchword/key/v1\n" + bytes([SUITE, self.level]) + self.ed25519 + self.mldsa)

    def value(self) -> dict[str, str]:
        """The halves and id as JSON data."""
        return {"ed25519": b64(self.ed25519), "id": self.id, "mldsa": b64(self.mldsa)}


@dataclass(frozen=True)
class SigningKey:
    """Both private halves. With a ``uri`` the Ed25519 half stays behind that signer, whose every answer is checked."""

    public: PublicKey
    _ed25519: Any = field(repr=False)
    _mldsa: Any = field(repr=False)
    uri: str = ""

    def sign_ed25519(self, message: bytes) -> bytes:
        """64 bytes, pure Ed25519."""
        return _ask_signer(self.uri, self.public.ed25519, message) if self.uri else bytes(self._ed25519.sign(message))

    def sign_mldsa(self, message: bytes, context: bytes = b"") -> bytes:
        """2,420 or 3,309 bytes, pure ML-DSA."""
        return bytes(self._mldsa.sign(message, context))

    def sign(self, message: bytes) -> bytes:
        """The composite statement signature (3,373 bytes at level 65)."""
        return self.sign_ed25519(message) + self.sign_mldsa(message, CONTEXT)


def generate(level: int) -> SigningKey:
    """A new key: level 44 for heads, 65 for statements."""
    return _in_memory(Ed25519PrivateKey.generate(), _PRIVATE[level].generate(), level)


def generate_behind(uri: str, ed25519_public: bytes, level: int) -> SigningKey:
    """A new key whose Ed25519 half is one that a signer already holds; only the ML-DSA half is made here.

    Args:
        uri: as securesystemslib names signers, such as ``file2:/path/key.pem``, or a ``pkcs11:`` URI.
        ed25519_public: that signer's public key, 32 bytes.

    Raises:
        KeyTrouble: not a URI in one line, or a public key of another length.
    """
    if ":" not in uri or not uri.isprintable():
        raise KeyTrouble(f"{uri[:80]!r} is not a signer URI", "such as pkcs11:token=alfa;object=witness?…")
    second = _PRIVATE[level].generate()
    return SigningKey(PublicKey(ed25519_public, second.public_key().public_bytes_raw(), level), None, second, uri)


def parse_public(value: dict[str, Any]) -> PublicKey:
    """Read the ``ed25519``, ``mldsa`` and ``id`` fields of a public key object.

    Raises:
        KeyTrouble: a half of the wrong length, or an id that is not that of the halves.
    """
    mldsa_half = unb64(value.get("mldsa", ""), "ML-DSA half")
    level = {length: level for level, length in PUBLIC_BYTES.items()}.get(len(mldsa_half))
    if level is None:
        raise KeyTrouble(f"ML-DSA half has {len(mldsa_half)} bytes, not 1,312 or 1,952")
    public = PublicKey(unb64(value.get("ed25519", ""), "Ed25519 half"), mldsa_half, level)
    if value.get("id") != public.id:
        shown = str(value.get("id"))[:80]
        raise KeyTrouble(f"key id {shown} is not that of its halves", "the key was changed after it was named")
    return public


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Strict Ed25519.

    Raises:
        BadSignature: refused by form, or the equation does not hold.
    """
    trouble = ed25519.trouble(public, signature)
    if trouble:
        raise BadSignature(f"Ed25519: {trouble}")
    sodium = _sodium()
    try:
        if sodium is not None:
            sodium(signature + message, public)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("Ed25519 signature does not verify") from error


@functools.cache
def _sodium() -> Callable[[bytes, bytes], Any] | None:
    """PyNaCl's verification where that is installed, twice as fast; None where it is not."""
    try:
        from nacl.bindings import crypto_sign_open
        from nacl.exceptions import BadSignatureError
    except ImportError:
        return None

    def check(signed: bytes, public: bytes) -> None:
        try:
            crypto_sign_open(signed, public)
        except BadSignatureError as error:
            raise InvalidSignature from error

    return check


def verify_mldsa(level: int, public: bytes, signature: bytes, message: bytes, context: bytes = b"") -> None:
    """Pure ML-DSA of *level*.

    Raises:
        BadSignature: wrong length or does not verify.
    """
    if len(signature) != SIGNATURE_BYTES[level]:
        raise BadSignature(f"ML-DSA-{level} signature has {len(signature)} bytes, not {SIGNATURE_BYTES[level]}")
    try:
        _PUBLIC[level].from_public_bytes(public).verify(signature, message, context)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(f"ML-DSA-{level} signature does not verify") from error


def verify_signature(public: PublicKey, signature: bytes, message: bytes) -> None:
    """The composite statement signature: both halves, or none.

    Raises:
        BadSignature: either half is wrong, or the length is.
    """
    if len(signature) != 64 + SIGNATURE_BYTES[public.level]:
        raise BadSignature(f"signature has {len(signature)} bytes, not {64 + SIGNATURE_BYTES[public.level]}")
    verify_ed25519(public.ed25519, signature[:64], message)
    verify_mldsa(public.level, public.mldsa, signature[64:], message, CONTEXT)


def save_key(path: Path, key: SigningKey, passphrase: bytes | None) -> None:
    """Write a key to *path*, mode 0600, encrypted when a passphrase is given; never overwrites.

    Raises:
        KeyTrouble: the file exists, or the folder cannot be written.
    """
    if key.uri:
        first = f"signer-uri: {key.uri}\nsigner-ed25519: {b64(key.public.ed25519)}\n".encode()
    else:
        first = pkcs8.write(key._ed25519, passphrase)
    text = first + pkcs8.write(key._mldsa, passphrase)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError as error:
        raise KeyTrouble(f"{path}: a key is already there", "keys are never overwritten; move it away first") from error
    except OSError as error:
        raise KeyTrouble(f"{path}: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def load_key(path: Path, passphrase: Passphrase = None) -> SigningKey:
    """Read a key file.

    Args:
        passphrase: bytes, or a function that is called only when the file is encrypted.

    Raises:
        KeyTrouble: missing, readable by others, of another form, wrong passphrase.
    """
    text = _read(path)
    secret = passphrase() if callable(passphrase) and pkcs8.ENCRYPTED in text else passphrase
    if callable(secret):
        secret = None
    if text.startswith(b"signer-uri: "):
        return _with_device(path, text, secret)
    blocks = pkcs8.split(text)
    if len(blocks) != 2:
        raise KeyTrouble(f"{path}: holds {len(blocks)} keys, not the two halves of one")
    first, second = (pkcs8.read(block, secret, path) for block in blocks)
    level = next((n for n, kind in _PRIVATE.items() if isinstance(second, kind)), 0)
    if not isinstance(first, Ed25519PrivateKey) or not level:
        raise KeyTrouble(f"{path}: not an Ed25519 half followed by an ML-DSA half")
    return _in_memory(first, second, level)


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if os.name == "posix" and status.st_mode & 0o077:
            raise KeyTrouble(f"{path}: others may read this key (mode {status.st_mode & 0o777:o})", f"chmod 600 {path}")
        if status.st_size > KEY_FILE_BYTES_MAX:
            raise KeyTrouble(f"{path}: {status.st_size:,} bytes, a key file has at most {KEY_FILE_BYTES_MAX:,}")
        return path.read_bytes()
    except OSError as error:
        raise KeyTrouble(f"{path}: {error.strerror}") from error


def _in_memory(first: Ed25519PrivateKey, second: Any, level: int) -> SigningKey:
    public = PublicKey(first.public_key().public_bytes_raw(), second.public_key().public_bytes_raw(), level)
    return SigningKey(public, first, second)


def _with_device(path: Path, text: bytes, passphrase: bytes | None) -> SigningKey:
    head, _, rest = text.partition(b"-----BEGIN")
    fields = dict(line.split(": ", 1) for line in head.decode("utf-8", "replace").splitlines() if ": " in line)
    second = pkcs8.read(b"-----BEGIN" + rest, passphrase, path)
    level = next((n for n, kind in _PRIVATE.items() if isinstance(second, kind)), 0)
    if not level or "signer-ed25519" not in fields:
        raise KeyTrouble(f"{path}: a device key names signer-uri, signer-ed25519 and holds an ML-DSA half")
    first = unb64(fields["signer-ed25519"], "signer-ed25519")
    public = PublicKey(first, second.public_key().public_bytes_raw(), level)
    return SigningKey(public, None, second, fields["signer-uri"])


def _ask_signer(uri: str, public: bytes, message: bytes) -> bytes:
    """Sign by a PKCS#11 token or through securesystemslib; an answer that does not verify is refused."""
    from watchword.statements import pkcs11

    if uri.startswith(pkcs11.SCHEME):
        try:
            signature = pkcs11.sign_ed25519(uri, message)
        except pkcs11.TokenTrouble as error:
            raise KeyTrouble(f"signer {pkcs11.SCHEME}: {error.message}", error.hint) from error
        verify_ed25519(public, signature, message)
        return signature
    from securesystemslib.exceptions import UnsupportedLibraryError
    from securesystemslib.signer import Signer, SSlibKey

    key = SSlibKey("watchword", "ed25519", "ed25519", {"public": public.hex()})
    try:
        answer = Signer.from_priv_key_uri(uri, key).sign(message)
        signature = bytes.fromhex(answer.signature)
    except (ValueError, OSError, KeyError, UnsupportedLibraryError) as error:
        raise KeyTrouble(f"signer {uri.split(':', 1)[0]} did not sign: {error}") from error
    verify_ed25519(public, signature, message)
    return signature
