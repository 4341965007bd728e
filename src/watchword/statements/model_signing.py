"""OpenSSF model signatures (OMS v1.0): a supplier's existing signature over its files, read, checked and written.

Follows the model-signing specification v1.0: a Sigstore bundle with one DSSE signature over an in-toto Statement whose
predicate lists every file with its digest; vectors and schemas: openssf-model-signing.

* The root digest is SHA-256 over the raw digests of the resources, sorted by name.
* Files that the list does not name refuse, but for those it says it ignores; so do files that are missing or differ.
* Signatures are ECDSA on P-256, P-384 or P-521. A bundle with a certificate is checked with the key in its leaf; whose
  certificate that is, and the public logs it may name, are not checked here and said so.
* BLAKE3 is named and refused: no library of ours computes it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.limits import BODY_BYTES_MAX, READ_BYTES, RELEASE_FILES_MAX
from watchword.statements.dsse import IN_TOTO, pae

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "https://model_signing/signature/v1.0"
STATEMENT = "https://in-toto.io/Statement/v1"
_Hex = Annotated[str, Meta(pattern="^(?:[0-9a-f]{2})+$")]
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512(),
}  # fmt: skip


class BadModelSignature(WatchwordError):
    """A bundle that is no OMS v1.0 signature, does not verify, or is not over these files."""


@dataclass(frozen=True)
class Resource:
    """One file (or, with ``start`` and ``end``, its bytes from the one up to the other) and its digest, in hex."""

    path: str
    digest: str
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class ModelSignature:
    """A parsed bundle, not verified by being parsed.

    ``signer``: ``key``, ``certificate`` or ``sigstore``. ``hint``: of a ``key``, the digest of its PEM text.
    ``root``: the root digest, in hex, as the statement says and the resources give.
    """

    name: str
    root: str
    algorithm: str
    resources: tuple[Resource, ...]
    ignored: tuple[str, ...]
    signer: str
    hint: str
    certificate: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


    @property
    def key_digest(self) -> str:
        """The digest that names the signer: of its public key's PEM text, or of its certificate."""
        return f"sha256:{self.hint or hashlib.sha256(self.certificate).hexdigest()}"


class _Loose(msgspec.Struct, frozen=True, kw_only=True):
    pass


class _Resource(_Loose, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=4096)]
    digest: _Hex
    algorithm: Literal["sha256", "blake2b", "blake3"]


class _Serialization(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    method: Literal["files", "shards"]
    hash_type: Literal["sha256", "blake2b", "blake3"]
    allow_symlinks: bool
    shard_size: Annotated[int, Meta(gt=0)] | None = None
    ignore_paths: list[str] = []


class _Predicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    resources: Annotated[list[_Resource], Meta(max_length=RELEASE_FILES_MAX)]
    serialization: _Serialization


class _Subject(_Loose, frozen=True, kw_only=True):
    name: str
    digest: dict[str, _Hex]


class _Statement(_Loose, frozen=True, kw_only=True):
    type: str = msgspec.field(name="_type")
    subject: Annotated[list[_Subject], Meta(min_length=1, max_length=1)]
    predicateType: str
    predicate: msgspec.Raw


class _Signature(_Loose, frozen=True, kw_only=True):
    sig: str


class _Envelope(_Loose, frozen=True, kw_only=True):
    payload: str
    payloadType: str
    signatures: Annotated[list[_Signature], Meta(min_length=1, max_length=1)]


class _Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    mediaType: Annotated[str, Meta(pattern=r"^application/vnd\.dev\.sigstore\.bundle")]
    verificationMaterial: dict[str, Any]
    dsseEnvelope: _Envelope


def parse(data: bytes, what: str = "signature") -> ModelSignature:
    """Read a bundle.

    Raises:
        BadModelSignature: not of the form OMS v1.0 states, or a root digest that is not that of its list. Says why.
    """
    try:
        bundle = msgspec.json.decode(data, type=_Bundle)
        payload = base64.b64decode(bundle.dsseEnvelope.payload, validate=True)
        signature = base64.b64decode(bundle.dsseEnvelope.signatures[0].sig, validate=True)
        if bundle.dsseEnvelope.payloadType != IN_TOTO:
            raise BadModelSignature(f"{what}: payload type {bundle.dsseEnvelope.payloadType[:80]!r}, not {IN_TOTO}")
        statement = msgspec.json.decode(payload, type=_Statement)
        if (statement.type, statement.predicateType) != (STATEMENT, PREDICATE):
            raise BadModelSignature(f"{what}: predicate type {statement.predicateType[:80]!r}, not {PREDICATE}")
        predicate = msgspec.json.decode(statement.predicate, type=_Predicate)
        signer, hint, certificate = _signer(bundle.verificationMaterial)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # base64 and UTF-8 raise ValueError
        raise BadModelSignature(f"{what}: {error}") from error
    serialization = predicate.serialization
    if (serialization.method == "shards") != (serialization.shard_size is not None):
        raise BadModelSignature(f"{what}: a shard size belongs to the method shards, and to no other")
    if any(one.algorithm != serialization.hash_type for one in predicate.resources):
        raise BadModelSignature(f"{what}: a resource is hashed otherwise than with {serialization.hash_type}")
    resources = tuple(_resource(one, serialization.method, what) for one in predicate.resources)
    digests = {one.name: one.digest for one in predicate.resources}
    root = hashlib.sha256(b"".join(bytes.fromhex(digests[name]) for name in sorted(digests))).hexdigest()
    subject = statement.subject[0]
    if len(digests) != len(resources) or subject.digest != {"sha256": root}:
        raise BadModelSignature(f"{what}: its root digest {str(subject.digest)[:90]} is not that of its list, {root}")
    return ModelSignature(
        subject.name, root, serialization.hash_type, resources, tuple(serialization.ignore_paths), signer, hint,
        certificate, payload, signature,
    )  # fmt: skip


def verify(signed: ModelSignature, public_pem: bytes | None = None) -> None:
    """Check the signature.

    Args:
        public_pem: the signer's public key; needed where the bundle carries no certificate.

    Raises:
        BadModelSignature: another key than the bundle names, no EC key, or it does not verify.
    """
    if public_pem is None and not signed.certificate:
        raise BadModelSignature("signed by a key, which has to be given", "ask the supplier for its public key")
    try:
        if public_pem is not None:
            key: Any = serialization.load_pem_public_key(public_pem)
        else:
            key = x509.load_der_x509_certificate(signed.certificate).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadModelSignature(f"public key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise BadModelSignature("public key: not on P-256, P-384 or P-521, as OMS v1.0 asks for")
    if public_pem is not None and signed.hint and signed.hint != _hint(key):
        raise BadModelSignature(f"signed by the key {signed.hint}, this one is {_hint(key)}")
    message = pae(IN_TOTO, signed.payload)
    # Versions of the signer before 1.1 hashed with SHA-256 on every curve.
    for algorithm in (_HASHES[key.curve.name], hashes.SHA256()):
        try:
            key.verify(signed.signature, message, ec.ECDSA(algorithm))
            return
        except InvalidSignature:
            continue
    raise BadModelSignature("the signature does not verify")


def check_files(signed: ModelSignature, folder: Path, signature: Path | None = None) -> int:
    """Check that *folder* holds exactly the files that were signed; returns how many.

    Args:
        folder: a folder, or one file.
        signature: the bundle's own file, which may lie among them.

    Raises:
        BadModelSignature: a file more, a file less, or another content; names it. Links are refused.
    """
    if signed.algorithm == "blake3":
        raise BadModelSignature("signed over BLAKE3 digests, which this version does not compute")
    listed: dict[str, list[Resource]] = {}
    for one in signed.resources:
        listed.setdefault(one.path, []).append(one)
    there = {name: path for name, path in _files(folder) if path != signature and not _ignored(name, signed.ignored)}
    odd = sorted(there.keys() ^ listed.keys())
    if odd:
        raise BadModelSignature(f"{odd[0]}: {'not in the signature' if odd[0] in there else 'signed and not there'}")
    for name, parts in listed.items():
        with there[name].open("rb") as file:
            size = file.seek(0, 2)
            at = 0
            for part in sorted(parts, key=lambda part: part.start):
                end = size if part.end is None else part.end
                if part.start != at or end > size or _hash(file, part.start, end, signed.algorithm) != part.digest:
                    raise BadModelSignature(f"{name}: is not what was signed")
                at = end
            if at != size:
                raise BadModelSignature(f"{name}: only {at:,} of {size:,} bytes were signed")
    return len(listed)


def sign(folder: Path, key: ec.EllipticCurvePrivateKey, output: Path | None = None) -> bytes:
    """The bundle with which *key* signs every file in *folder* (the method ``files``, SHA-256).

    Raises:
        BadModelSignature: a link among them, or no curve of OMS v1.0.
    """
    if key.curve.name not in _HASHES:
        raise BadModelSignature("signing key: not on P-256, P-384 or P-521, as OMS v1.0 asks for")
    resources = []
    for name, path in sorted(_files(folder)):
        if path != output:
            with path.open("rb") as file:
                digest = _hash(file, 0, file.seek(0, 2), "sha256")
            resources.append({"algorithm": "sha256", "digest": digest, "name": name})
    root = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    statement = {
        "_type": STATEMENT,
        "predicate": {
            "resources": resources,
            "serialization": {
                "allow_symlinks": False,
                "hash_type": "sha256",
                "ignore_paths": [] if output is None else [output.name],
                "method": "files",
            },
        },
        "predicateType": PREDICATE,
        "subject": [{"digest": {"sha256": root}, "name": folder.resolve().name}],
    }
    payload = json.dumps(statement).encode()
    signature = key.sign(pae(IN_TOTO, payload), ec.ECDSA(_HASHES[key.curve.name]))
    bundle = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": _hint(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        },
    }
    return json.dumps(bundle).encode() + b"\n"


def read_bundle(path: Path) -> bytes:
    """A bundle's bytes. Raises BadModelSignature: not there, or larger than a body may be."""
    try:
        with path.open("rb") as file:
            data = file.read(BODY_BYTES_MAX + 1)
    except OSError as error:
        raise BadModelSignature(f"{path}: {error.strerror}") from error
    if len(data) > BODY_BYTES_MAX:
        raise BadModelSignature(f"{path}: larger than {BODY_BYTES_MAX:,} bytes")
    return data


def read_signing_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """An unencrypted EC private key in PEM. Raises BadModelSignature: not there, or none."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadModelSignature(f"{path}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadModelSignature(f"{path}: not an elliptic-curve key")
    return key


def _signer(material: dict[str, Any]) -> tuple[str, str, bytes]:
    """How the bundle names its signer: kind, hint, certificate."""
    public, chain, leaf = (material.get(name) for name in ("publicKey", "x509CertificateChain", "certificate"))
    if isinstance(public, dict) and isinstance(public.get("hint", public.get("rawBytes")), str):
        return "key", str(public.get("hint", "")), b""
    if isinstance(chain, dict) and isinstance(chain.get("certificates"), list) and chain["certificates"]:
        return "certificate", "", _raw(chain["certificates"][0])
    if isinstance(leaf, dict):
        if not material.get("tlogEntries"):
            raise BadModelSignature("a keyless signature without the entry of a transparency log")
        return "sigstore", "", _raw(leaf)
    raise BadModelSignature("its verification material names neither key nor certificate")


def _raw(certificate: Any) -> bytes:
    if not isinstance(certificate, dict) or not isinstance(certificate.get("rawBytes"), str):
        raise BadModelSignature("a certificate without its bytes")
    return base64.b64decode(certificate["rawBytes"], validate=True)


def _resource(raw: _Resource, method: str, what: str) -> Resource:
    if method == "files":
        return Resource(raw.name, raw.digest)
    path, start, end = [*raw.name.rsplit(":", 2), "", ""][:3]
    if not (path and start.isdecimal() and end.isdecimal() and int(start) <= int(end)):
        raise BadModelSignature(f"{what}: {raw.name[:100]!r} is not PATH:START:END")
    return Resource(path, raw.digest, int(start), int(end))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    if folder.is_file():
        yield folder.name, folder
        return
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if number > RELEASE_FILES_MAX:
            raise BadModelSignature(f"{folder}: more than {RELEASE_FILES_MAX:,} files")
        if path.is_symlink():
            raise BadModelSignature(f"{path}: is a link", "sign and deliver files, not links")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _ignored(name: str, ignored: tuple[str, ...]) -> bool:
    """Whether *name* lies at or below an ignored path. Paths of the signer's machine fit nothing."""
    return any(name == one or name.startswith(f"{one}/") for one in ignored)


def _hash(file: Any, start: int, end: int, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    file.seek(start)
    while start < end:
        data = file.read(min(READ_BYTES, end - start))
        if not data:
            break
        digest.update(data)
        start += len(data)
    return digest.hexdigest()


def _hint(key: ec.EllipticCurvePublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.PEM, form)).hexdigest()
