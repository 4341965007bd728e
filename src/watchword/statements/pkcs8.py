"""Private keys as PEM: PKCS#8, encrypted with PBES2 over scrypt (RFC 8018, RFC 7914) and AES-256-CBC.

The library's own encryption derives with 2,048 rounds of PBKDF2, which a thief of the file searches at millions of
guesses a second. So we write the same standard structure with scrypt; any PKCS#8 reader opens it.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from watchword.errors import WatchwordError

ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
"""Memory cost 16 MB, about 0.05 s. Origin: RFC 7914's interactive parameters; OpenSSL's reader refuses more."""


class BadKeyFile(WatchwordError):
    """A PEM block that is no private key of a known kind, or that this passphrase does not open."""


def write(key: Any, passphrase: bytes | None) -> bytes:
    """One PEM block of a private key object; encrypted unless *passphrase* is None."""
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if passphrase is None:
        return _pem(b"PRIVATE KEY", der)
    salt, iv = os.urandom(16), os.urandom(16)
    secret = Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    return _pem(b"ENCRYPTED PRIVATE KEY", _encrypted_info(salt, iv, sealed))


def split(text: bytes) -> list[bytes]:
    """The PEM blocks of *text*, in order."""
    return [b"-----BEGIN" + part for part in text.split(b"-----BEGIN")[1:]]


def read(block: bytes, passphrase: bytes | None, path: Path) -> Any:
    """The private key object of one PEM block.

    Raises:
        BadKeyFile: names *path* and what is wrong.
    """
    try:
        return serialization.load_pem_private_key(block, passphrase if ENCRYPTED in block else None)
    except TypeError as error:
        raise BadKeyFile(f"{path}: the key is encrypted and no passphrase was given") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        what = "wrong passphrase, or a damaged file" if ENCRYPTED in block else "not a private key"
        raise BadKeyFile(f"{path}: {what}") from error


def _pem(label: bytes, der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return b"-----BEGIN " + label + b"-----\n" + lines + b"\n-----END " + label + b"-----\n"


_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES256_CBC = bytes.fromhex("060960864801650304012a")


def _encrypted_info(salt: bytes, iv: bytes, sealed: bytes) -> bytes:
    """EncryptedPrivateKeyInfo (RFC 5958, section 3) with PBES2 parameters."""
    scrypt = _der(0x30, _octets(salt) + _integer(SCRYPT_N) + _integer(SCRYPT_R) + _integer(SCRYPT_P) + _integer(32))
    derivation = _der(0x30, _SCRYPT + scrypt)
    cipher = _der(0x30, _AES256_CBC + _octets(iv))
    return _der(0x30, _der(0x30, _PBES2 + _der(0x30, derivation + cipher)) + _octets(sealed))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _octets(data: bytes) -> bytes:
    return _der(0x04, data)


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))
