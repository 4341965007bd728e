"""OpenSSF model signatures: others' vectors, what the signer's own tool makes, and what must be refused."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from watchword.statements.model_signing import BadModelSignature, check_files, parse, sign, verify

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).resolve().parents[3] / "shared" / "vectors"))
CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())


def vector(name: str) -> bytes:
    path = VECTORS / "openssf-model-signing" / "v1.0" / f"{name}.bundle.json"
    if not path.is_file():
        pytest.skip(f"vector openssf-model-signing {name} is absent; set WATCHWORD_VECTORS")
    return path.read_bytes()


def pem_of(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(CURVES[0])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of three files, one in a folder, one empty."""
    (tmp_path / "model" / "sub").mkdir(parents=True)
    for name, data in (("weights.bin", b"\1" * 5000), ("sub/config.json", b"{}"), ("empty", b"")):
        (tmp_path / "model" / name).write_bytes(data)
    return tmp_path / "model"


@pytest.mark.parametrize(("name", "signer"), [("key", "key"), ("certificate", "certificate"), ("sigstore", "sigstore")])
def test_others_bundles_parse_and_their_root_digests_match(name: str, signer: str) -> None:
    """Every valid vector; the root digest is worked out again from the list."""
    signed = parse(vector(f"valid/{name}"))
    assert signed.signer == signer
    assert [one.path for one in signed.resources] == ["signme-1", "signme-2"]
    raw = b"".join(bytes.fromhex(one.digest) for one in signed.resources)
    assert signed.root == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("name", ["certificate", "sigstore"])
def test_a_bundle_with_a_certificate_verifies_by_it(name: str) -> None:
    """With the key in its leaf; whose certificate that is, is another question. One name changed in what was signed is
    seen."""
    signed = vector(f"valid/{name}")
    verify(parse(signed))
    value = json.loads(signed)
    payload = base64.b64decode(value["dsseEnvelope"]["payload"])
    value["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(b"signme-2", b"signme-3")).decode()
    with pytest.raises(BadModelSignature, match="signature"):
        verify(parse(json.dumps(value).encode()))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("invalid/empty", "truncated"),
        ("invalid/missing-envelope", "dsseEnvelope"),
        ("invalid/missing-tlog-entries", "transparency log"),
        ("invalid/missing-verification-material", "verificationMaterial"),
        ("invalid-payload/wrong-predicate", "predicate type 'https://example.com/wrong-predicate/v1.0'"),
    ],
)
def test_what_must_be_refused_is_refused_for_its_reason(name: str, why: str) -> None:
    """Every invalid vector."""
    with pytest.raises(BadModelSignature, match=why):
        parse(vector(name))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_what_is_signed_here_verifies_here(curve: Any, model: Path) -> None:
    """On each curve that the specification names."""
    key = ec.generate_private_key(curve)
    signed = parse(sign(model, key))
    verify(signed, pem_of(key))
    assert check_files(signed, model) == 3


def test_the_signers_own_tool_and_ours_verify_each_other(model: Path, tmp_path: Path) -> None:
    """Bundles of the ``model-signing`` package verify here, and ours there; skipped by name where it is absent."""
    tool = shutil.which("model_signing", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if tool is None:
        pytest.skip("the package model-signing (command model_signing) is absent")
    key = ec.generate_private_key(CURVES[1])
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(pem_of(key))
    theirs, ours = tmp_path / "theirs.sig", tmp_path / "ours.sig"
    run = [tool, "sign", "key", str(model), "--private_key", str(private), "--signature", str(theirs)]
    subprocess.run(run, check=True, capture_output=True, timeout=120)
    signed = parse(theirs.read_bytes())
    verify(signed, public.read_bytes())
    assert check_files(signed, model) == 3
    ours.write_bytes(sign(model, key))
    run = [tool, "verify", "key", str(model), "--public_key", str(public), "--signature", str(ours)]
    subprocess.run(run, check=True, capture_output=True, timeout=120)


def more(model: Path) -> None:
    (model / "sub" / "hook.py").write_text("import os")


def less(model: Path) -> None:
    (model / "empty").unlink()


def other(model: Path) -> None:
    (model / "weights.bin").write_bytes(b"\1" * 4999 + b"\2")


def longer(model: Path) -> None:
    (model / "weights.bin").write_bytes(b"\1" * 5001)


def link(model: Path) -> None:
    (model / "link").symlink_to("weights.bin")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (more, "hook.py: not in"),
        (less, "empty: signed and not"),
        (other, "not what was"),
        (longer, "not what was"),
        (link, "link"),
    ],
)
def test_other_files_than_were_signed_are_refused(
    change: Callable[[Path], None], why: str, model: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    """A file more, a file less, another content, a link: each named; fails when only listed files are looked at."""
    signed = parse(sign(model, key))
    change(model)
    with pytest.raises(BadModelSignature, match=why):
        check_files(signed, model)


def test_a_forged_list_or_another_key_is_refused(model: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """The signature is over the list: another payload, another signer, no EC key, no key at all."""
    data = sign(model, key)
    bundle = json.loads(data)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    statement["subject"][0]["name"] = "another"
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    with pytest.raises(BadModelSignature, match="does not verify"):
        verify(parse(json.dumps(bundle).encode()), pem_of(key))
    with pytest.raises(BadModelSignature, match="this one is"):
        verify(parse(data), pem_of(ec.generate_private_key(CURVES[0])))
    with pytest.raises(BadModelSignature, match="P-256"):
        verify(parse(data), pem_of(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(BadModelSignature, match="has to be given"):
        verify(parse(data))


def test_a_root_digest_that_is_not_of_the_list_is_refused(model: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """One digit of one listed digest."""
    bundle = json.loads(sign(model, key))
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    statement["predicate"]["resources"][0]["digest"] = "00" * 32
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    with pytest.raises(BadModelSignature, match="root digest"):
        parse(json.dumps(bundle).encode())


def test_shards_cover_a_file_from_end_to_end(model: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """A file signed in parts: all of it, in order; a part left out is told."""
    bundle = json.loads(sign(model, key))
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    parts = [("empty", 0, 0, b""), ("sub/config.json", 0, 2, b"{}"), ("weights.bin", 0, 4000, b"\1" * 4000)]

    def made(parts: list[tuple[str, int, int, bytes]]) -> bytes:
        digests = {f"{name}:{a}:{b}": hashlib.sha256(data).hexdigest() for name, a, b, data in parts}
        statement["predicate"]["resources"] = [
            {"algorithm": "sha256", "digest": digest, "name": name} for name, digest in digests.items()
        ]
        statement["predicate"]["serialization"] |= {"method": "shards", "shard_size": 4000}
        raw = b"".join(bytes.fromhex(digests[name]) for name in sorted(digests))
        statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(raw).hexdigest()
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
        return json.dumps(bundle).encode()

    assert check_files(parse(made([*parts, ("weights.bin", 4000, 5000, b"\1" * 1000)])), model) == 3
    with pytest.raises(BadModelSignature, match="only 4,000 of 5,000 bytes"):
        check_files(parse(made(parts)), model)
