"""Signatures by a PKCS#11 token: an HSM or a smartcard, in Ed25519 (CKM_EDDSA) or on P-256 (CKM_ECDSA), as PIV cards.

The key is named by a URI as RFC 7512 has it, such as
``pkcs11:token=alfa;object=witness?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/alfa/pin``.

* ``module-path`` is the vendor's library, ``pin-source`` a file with the PIN; both are needed, nothing is guessed.
* One session for one signature: no PIN and no login outlive it.
* Follows PKCS#11 3.0, by the C calls themselves. What comes back is verified by the caller (``keys``).
* Not here: ML-DSA, which no token tried offers yet, and making keys, which the vendor's tool does.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, unquote

from watchword.errors import WatchwordError
from watchword.limits import PASSPHRASE_BYTES_MAX, PKCS11_SLOTS_MAX

SCHEME = "pkcs11:"
_CKO_PRIVATE_KEY, _CKU_USER, _CKM_ECDSA, _CKM_EDDSA, _CKF_SERIAL_SESSION = 3, 1, 0x1041, 0x1057, 4
_CKA_CLASS, _CKA_LABEL = 0, 3
_ALREADY = 0x191
"""CKR_CRYPTOKI_ALREADY_INITIALIZED: another user of this library in this process."""

_Ulong = ctypes.c_ulong


class TokenTrouble(WatchwordError):
    """A token that is not there, does not open, or does not sign."""


class _Attribute(ctypes.Structure):
    _fields_ = (("type", _Ulong), ("value", ctypes.c_void_p), ("length", _Ulong))


class _Mechanism(ctypes.Structure):
    _fields_ = (("mechanism", _Ulong), ("parameter", ctypes.c_void_p), ("length", _Ulong))


def sign_ed25519(uri: str, message: bytes) -> bytes:
    """64 bytes: what the token that *uri* names signs.

    Raises:
        TokenTrouble: not such a URI, no such token or key, the PIN, or the token itself; names the call.
    """
    return _sign(uri, _CKM_EDDSA, message)


def sign_for(uri: str, alg: int, message: bytes) -> bytes:
    """The same in the algorithm of a COSE number: -8 is EdDSA, -7 is ES256, whose signature is DER.

    Raises:
        TokenTrouble: as ``sign_ed25519``; or a signature of another length.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if not uri.startswith(SCHEME):
        raise TokenTrouble(f"{uri[:80]!r} is no {SCHEME} URI", f"such as {SCHEME}token=alfa;object=approver?…")
    if alg == -8:
        return sign_ed25519(uri, message)
    raw = _sign(uri, _CKM_ECDSA, sha256(message).digest())
    if len(raw) != 64:
        raise TokenTrouble(f"C_Sign: {len(raw)} bytes, not the 64 of a signature on P-256")
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def _sign(uri: str, how: int, message: bytes) -> bytes:
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    named = dict(part.split("=", 1) for part in path.split(";") if "=" in part)
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    if not {"token", "object"} <= named.keys() or not {"module-path", "pin-source"} <= asked.keys():
        raise TokenTrouble(
            "a PKCS#11 URI here names token, object, module-path and pin-source",
            f"such as {SCHEME}token=alfa;object=witness?module-path=/usr/lib/….so&pin-source=/run/alfa/pin",
        )
    try:
        library = ctypes.CDLL(asked["module-path"])
        with Path(asked["pin-source"].removeprefix("file:")).open("rb") as file:
            pin = file.read(PASSPHRASE_BYTES_MAX).rstrip(b"\r\n")
    except OSError as error:
        raise TokenTrouble(f"token {unquote(named['token'])}: {error}") from error
    with _session(library, unquote(named["token"]), pin) as session:
        key = _private_key(library, session, unquote(named["object"]).encode())
        mechanism = _Mechanism(how, None, 0)
        _call(library, "C_SignInit", session, ctypes.byref(mechanism), key)
        signature, length = ctypes.create_string_buffer(64), _Ulong(64)
        _call(library, "C_Sign", session, message, _Ulong(len(message)), signature, ctypes.byref(length))
        return signature.raw[: length.value]


@contextmanager
def _session(library: ctypes.CDLL, token: str, pin: bytes) -> Iterator[_Ulong]:
    began = library.C_Initialize(None)
    if began not in (0, _ALREADY):
        raise TokenTrouble(f"C_Initialize: {began:#x}")
    try:
        session = _Ulong()
        slot = _slot(library, token)
        _call(library, "C_OpenSession", slot, _Ulong(_CKF_SERIAL_SESSION), None, None, ctypes.byref(session))
        try:
            _call(library, "C_Login", session, _Ulong(_CKU_USER), pin, _Ulong(len(pin)))
            yield session
        finally:
            library.C_CloseSession(session)
    finally:
        if began == 0:
            library.C_Finalize(None)


def _slot(library: ctypes.CDLL, token: str) -> _Ulong:
    slots, count = (_Ulong * PKCS11_SLOTS_MAX)(), _Ulong(PKCS11_SLOTS_MAX)
    _call(library, "C_GetSlotList", ctypes.c_ubyte(1), slots, ctypes.byref(count))
    for slot in slots[: count.value]:
        # CK_TOKEN_INFO begins with the label, 32 bytes padded with blanks; all of it is some 200 bytes.
        info = ctypes.create_string_buffer(1024)
        _call(library, "C_GetTokenInfo", _Ulong(slot), info)
        if info.raw[:32].rstrip(b" \0") == token.encode():
            return _Ulong(slot)
    raise TokenTrouble(f"no token is called {token}", "is the device plugged in, and its driver the right one?")


def _private_key(library: ctypes.CDLL, session: _Ulong, label: bytes) -> _Ulong:
    kind, name = _Ulong(_CKO_PRIVATE_KEY), ctypes.create_string_buffer(label, max(len(label), 1))
    template = (_Attribute * 2)(
        _Attribute(_CKA_CLASS, ctypes.cast(ctypes.pointer(kind), ctypes.c_void_p), ctypes.sizeof(kind)),
        _Attribute(_CKA_LABEL, ctypes.cast(name, ctypes.c_void_p), len(label)),
    )
    found, count = (_Ulong * 2)(), _Ulong()
    _call(library, "C_FindObjectsInit", session, template, _Ulong(2))
    _call(library, "C_FindObjects", session, found, _Ulong(2), ctypes.byref(count))
    _call(library, "C_FindObjectsFinal", session)
    if count.value != 1:
        raise TokenTrouble(f"{count.value or 'no'} private keys are called {label.decode(errors='replace')}, not one")
    return _Ulong(found[0])


def _call(library: ctypes.CDLL, name: str, *arguments: object) -> None:
    function = getattr(library, name, None)
    answer = -1 if function is None else function(*arguments)
    if answer:
        meant = {0xA0: "wrong PIN", 0xA4: "PIN locked", 0x70: "the token does not know EdDSA"}.get(answer, "refused")
        raise TokenTrouble(f"{name}: {meant} ({answer & 0xFFFFFFFF:#x})")
