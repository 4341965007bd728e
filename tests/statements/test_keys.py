"""Keys and signatures of suite 1: both halves or nothing, and the same answer in every verifier."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchword.statements import ed25519
from watchword.statements.keys import (
    CONTEXT,
    BadSignature,
    KeyTrouble,
    PublicKey,
    generate,
    generate_behind,
    load_key,
    parse_public,
    save_key,
    verify_ed25519,
    verify_mldsa,
    verify_signature,
)
from watchword.statements.pkcs8 import BadKeyFile

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).parents[2].parent / "shared" / "vectors"))
WYCHEPROOF = VECTORS / "wycheproof"
KEY = generate(65)
P, L = ed25519.P, ed25519.L


def _needs(name: str) -> dict[str, list[dict[str, object]]]:
    path = WYCHEPROOF / name
    if not path.exists():
        pytest.skip(f"vectors of others not here: {path}")
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def test_wycheproof_ed25519_all_cases_agree() -> None:
    """Every valid case verifies and every invalid one is refused (Wycheproof, 151 cases)."""
    cases = 0
    for group in _needs("ed25519_test.json")["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])  # type: ignore[index]
        for case in group["tests"]:  # type: ignore[attr-defined]
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            cases += 1
            if case["result"] == "valid":
                verify_ed25519(public, signature, message)
            else:
                with pytest.raises(BadSignature):
                    verify_ed25519(public, signature, message)
    assert cases == 151


@pytest.mark.parametrize("level", [44, 65])
def test_wycheproof_mldsa_all_cases_agree(level: int) -> None:
    """Every valid case verifies and every invalid one is refused, contexts included."""
    for group in _needs(f"mldsa_{level}_verify_test.json")["testGroups"]:
        public = bytes.fromhex(group["publicKey"])  # type: ignore[arg-type]
        for case in group["tests"]:  # type: ignore[attr-defined]
            context = bytes.fromhex(case.get("ctx", ""))
            arguments = (level, public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]), context)
            if case["result"] == "valid":
                verify_mldsa(*arguments)
            else:
                with pytest.raises(BadSignature):
                    verify_mldsa(*arguments)


def test_the_small_order_list_is_the_torsion_of_the_curve() -> None:
    """Multiplying random curve points by L finds exactly the y coordinates that the verifier refuses."""
    d = -121665 * pow(121666, -1, P) % P

    def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        k = d * p[0] * q[0] * p[1] * q[1] % P
        x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, -1, P) % P
        return x, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, P) % P

    def times(k: int, p: tuple[int, int]) -> tuple[int, int]:
        total = (0, 1)
        while k:
            if k & 1:
                total = add(total, p)
            p, k = add(p, p), k >> 1
        return total

    chance, found = random.Random(8032), {1}
    while len(found) < 5:
        y = chance.randrange(P)
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        x = pow(x2, (P + 3) // 8, P)
        x = x if x * x % P == x2 else x * pow(2, (P - 1) // 4, P) % P
        if x * x % P == x2:
            torsion = times(L, (x, y))
            found |= {times(i, torsion)[1] for i in range(8)}
    assert found == ed25519.SMALL_ORDER_Y


@pytest.mark.parametrize(
    "which", ["A small", "R small", "A not canonical", "R not canonical", "S past L", "minus zero"]
)
def test_a_signature_that_two_libraries_judge_differently_is_refused(which: str) -> None:
    """Small order and non-canonical encodings are refused unread; fails when the pre-check is removed."""
    public, signature = KEY.public.ed25519, KEY.sign_ed25519(b"m")
    small, big = (1).to_bytes(32, "little"), (P + 1).to_bytes(32, "little")
    cases = {
        "A small": (small, signature),
        "R small": (public, small + signature[32:]),
        "A not canonical": (big, signature),
        "R not canonical": (public, big + signature[32:]),
        "S past L": (public, signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")),
        "minus zero": (((1 << 255) | 1).to_bytes(32, "little"), signature),
    }
    assert ed25519.trouble(*cases[which])
    with pytest.raises(BadSignature, match=r"order|canonical"):
        verify_ed25519(*cases[which], b"m")


def test_either_half_alone_is_no_signature() -> None:
    """A composite with one half of another message or key is refused; fails when one half goes unchecked."""
    other = generate(65)
    good, bad = KEY.sign(b"m"), KEY.sign(b"n")
    verify_signature(KEY.public, good, b"m")
    for forged in (good[:64] + bad[64:], bad[:64] + good[64:], good[:64], good + b"\0", b""):
        with pytest.raises(BadSignature):
            verify_signature(KEY.public, forged, b"m")
    mixed = PublicKey(KEY.public.ed25519, other.public.mldsa, 65)
    with pytest.raises(BadSignature):
        verify_signature(mixed, good, b"m")


def test_the_mldsa_half_is_no_signature_without_its_context() -> None:
    """The half of a composite cannot be passed off as a plain ML-DSA signature."""
    half = KEY.sign(b"m")[64:]
    verify_mldsa(65, KEY.public.mldsa, half, b"m", CONTEXT)
    with pytest.raises(BadSignature):
        verify_mldsa(65, KEY.public.mldsa, half, b"m")


def test_a_key_object_whose_id_is_not_its_own_is_refused() -> None:
    """An id names exactly the two halves."""
    value = KEY.public.value()
    assert parse_public(value) == KEY.public
    with pytest.raises(KeyTrouble, match="not that of its halves"):
        parse_public(value | {"id": "sha256:" + "0" * 64})
    with pytest.raises(KeyTrouble):
        parse_public(value | {"mldsa": generate(44).public.value()["mldsa"]})


def test_a_key_file_is_private_encrypted_and_never_overwritten(tmp_path: Path) -> None:
    """Mode 0600, PKCS#8 with scrypt; a second save and a wrong passphrase are errors that name the file."""
    path = tmp_path / "root.pem"
    save_key(path, KEY, b"correct horse")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().count(b"BEGIN ENCRYPTED PRIVATE KEY") == 2
    assert load_key(path, b"correct horse").public == KEY.public
    assert load_key(path, lambda: b"correct horse").public == KEY.public
    with pytest.raises(BadKeyFile, match=r"root\.pem: wrong passphrase"):
        load_key(path, b"wrong")
    with pytest.raises(BadKeyFile, match="no passphrase was given"):
        load_key(path)
    with pytest.raises(KeyTrouble, match="already there"):
        save_key(path, KEY, b"x")
    path.chmod(0o644)
    with pytest.raises(KeyTrouble, match="others may read"):
        load_key(path, b"correct horse")


def test_any_pkcs8_reader_opens_our_key_files(tmp_path: Path) -> None:
    """OpenSSL's own tool reads the Ed25519 block: the encryption is the standard structure."""
    try:
        subprocess.run(["openssl", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl command here")
    path = tmp_path / "key.pem"
    save_key(path, KEY, b"pw")
    first = (
        path.read_bytes().split(b"-----END ENCRYPTED PRIVATE KEY-----")[0] + b"-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    shown = subprocess.run(
        ["openssl", "pkey", "-passin", "pass:pw", "-pubout", "-outform", "DER"],
        input=first,
        capture_output=True,
        check=True,
    )
    assert shown.stdout.endswith(KEY.public.ed25519)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" * 2])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, text: bytes) -> None:
    """Junk in a key file is an error that names the file."""
    path = tmp_path / "junk.pem"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises((KeyTrouble, BadKeyFile), match=r"junk\.pem"):
        load_key(path)


def test_a_half_behind_a_signer_uri_signs_and_a_lying_signer_is_caught(tmp_path: Path) -> None:
    """The Ed25519 half may sit behind any securesystemslib signer; its answer is verified before it is used."""
    device, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    pem = tmp_path / "device.pem"
    pem.write_bytes(device.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    uri = f"file2:{pem}"
    save_key(tmp_path / "key.pem", generate_behind(uri, device.public_key().public_bytes_raw(), 65), b"pw")
    assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()
    key = load_key(tmp_path / "key.pem", b"pw")
    assert key.public.ed25519 == device.public_key().public_bytes_raw()
    verify_signature(key.public, key.sign(b"m"), b"m")
    liar = generate_behind(uri, other.public_key().public_bytes_raw(), 65)
    with pytest.raises((BadSignature, KeyTrouble)):
        liar.sign(b"m")
    absent = generate_behind(f"file2:{tmp_path}/absent.pem", device.public_key().public_bytes_raw(), 65)
    with pytest.raises(KeyTrouble, match="did not sign"):
        absent.sign(b"m")
    with pytest.raises(KeyTrouble, match="not a signer URI"):
        generate_behind("nonsense", device.public_key().public_bytes_raw(), 65)
