"""Signatures in verify.py against Wycheproof, against hand-made hostile keys, and against `cryptography`."""

import hashlib
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

FEW = settings(max_examples=25, deadline=None)
SEED = st.binary(min_size=32, max_size=32)


@pytest.fixture(scope="module")
def verify(plain_verify):
    """Nothing is remembered here: signatures are the subject."""
    return plain_verify


def disagreements(verify, cases, check):
    """Every case whose outcome is not the vector's."""
    wrong = []
    for group in cases["testGroups"]:
        key = group["publicKey"]
        key = bytes.fromhex(key["pk"] if isinstance(key, dict) else key)
        for case in group["tests"]:
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            try:
                check(key, signature, message, bytes.fromhex(case.get("ctx", "")))
                outcome = "valid"
            except verify.Refused:
                outcome = "invalid"
            if outcome != case["result"]:
                wrong.append((case["tcId"], case["comment"], outcome))
    return wrong


def test_ed25519_agrees_with_every_wycheproof_case(verify, vectors):
    """All 151 cases, malleable and truncated signatures among them; fails when the check S < L is removed."""
    cases = vectors.json("wycheproof/ed25519_test.json")
    assert cases["numberOfTests"] == 151
    assert disagreements(verify, cases, lambda k, s, m, c: verify.verify_ed25519(k, s, m)) == []


@pytest.mark.parametrize(("level", "count"), [(44, 180), (65, 210)])
def test_mldsa_agrees_with_every_wycheproof_case(verify, vectors, level, count):
    """All cases with contexts, z norms and hint encodings; fails when the norm or a hint check is removed."""
    cases = vectors.json(f"wycheproof/mldsa_{level}_verify_test.json")
    assert cases["numberOfTests"] == count
    assert disagreements(verify, cases, lambda k, s, m, c: verify.verify_mldsa(level, k, s, m, c)) == []


# The points of order 1, 2, 4 and 8 on edwards25519 (RFC 7748's curve; listed in "Taming the many EdDSAs", table 1).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
# The same points written with y >= p, or with a sign on x = 0.
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_small_order_key_is_refused(verify, point):
    """Under such a key a signature is good for many messages; fails when the check on A is removed."""
    with pytest.raises(verify.Refused, match="small order"):
        verify.verify_ed25519(bytes.fromhex(point), bytes(64), b"anything")


@pytest.mark.parametrize("point", NOT_CANONICAL)
def test_second_spelling_of_a_point_is_refused(verify, point):
    """One key has one spelling; fails when y >= p or a sign on x = 0 is let through."""
    with pytest.raises(verify.Refused, match=r"canonical encoding"):
        verify.decode_point(bytes.fromhex(point))


def test_small_order_r_is_refused(verify):
    """R = identity with S = h·a satisfies the equation, and is refused; fails when the check on R is removed."""
    seed = bytes(range(32))
    half = bytearray(hashlib.sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    r = bytes.fromhex(SMALL_ORDER[0])
    h = int.from_bytes(hashlib.sha512(r + public + b"message").digest(), "little")
    s = h * int.from_bytes(half, "little") % verify.L
    with pytest.raises(verify.Refused, match="does not verify"):
        verify.verify_ed25519(public, r + s.to_bytes(32, "little"), b"message")


@FEW
@given(seed=SEED, message=st.binary(max_size=300), flip=st.integers(0, 64 * 8 - 1))
def test_ed25519_takes_what_openssl_signs_and_no_flipped_bit(verify, seed, message, flip):
    """A signature by `cryptography` verifies; with any one bit changed it does not."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))
    verify.verify_ed25519(public, bytes(signature), message)
    signature[flip // 8] ^= 1 << flip % 8
    with pytest.raises(verify.Refused):
        verify.verify_ed25519(public, bytes(signature), message)


@pytest.mark.parametrize(("level", "kind"), [(44, MLDSA44PrivateKey), (65, MLDSA65PrivateKey)])
def test_mldsa_takes_what_openssl_signs_and_no_flipped_bit(verify, level, kind):
    """A signature by `cryptography` verifies under its context; with a bit, the context or the message changed not."""

    @FEW
    @given(SEED, st.binary(max_size=300), st.binary(max_size=255), st.integers(0))
    def check(seed, message, context, flip):
        key = kind.from_seed_bytes(seed)
        public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message, context))
        verify.verify_mldsa(level, public, bytes(signature), message, context)
        with pytest.raises(verify.Refused):
            verify.verify_mldsa(level, public, bytes(signature), message + b"\0", context)
        with pytest.raises(verify.Refused):
            verify.verify_mldsa(level, public, bytes(signature), message, context[1:] + b"xx"[: 255 - len(context) + 1])
        flip %= len(signature) * 8
        signature[flip // 8] ^= 1 << flip % 8
        with pytest.raises(verify.Refused):
            verify.verify_mldsa(level, public, bytes(signature), message, context)

    check()


def test_wrong_lengths_are_refused_not_crashed_on(verify):
    """Keys and signatures of any other length end in Refused, never in another exception."""
    for size in (0, 1, 31, 33, 63, 64, 65, 1311, 1312, 1952, 2419, 2420, 3309):
        for check in (
            lambda data: verify.verify_ed25519(data, bytes(64), b""),
            lambda data: verify.verify_ed25519(b"\x09" + bytes(31), data, b""),
            lambda data: verify.verify_mldsa(44, data, bytes(2420), b""),
            lambda data: verify.verify_mldsa(65, bytes(1952), data, b""),
        ):
            with pytest.raises(verify.Refused):
                check(bytes(size))


def test_a_bundle_of_a_thousand_signatures_is_a_minute(verify):
    """Pure Python stays usable: 25 composite verifications with known keys well under 100 ms each on a slow core."""
    ed, ml = Ed25519PrivateKey.from_private_bytes(bytes(32)), MLDSA65PrivateKey.from_seed_bytes(bytes(32))
    ed_public, ml_public = ed.public_key().public_bytes_raw(), ml.public_key().public_bytes_raw()
    ed_signature, ml_signature = ed.sign(b"message"), ml.sign(b"message", b"")
    start = time.process_time()
    for _ in range(25):
        verify.verify_ed25519(ed_public, ed_signature, b"message")
        verify.verify_mldsa(65, ml_public, ml_signature, b"message")
    assert time.process_time() - start < 2.5
