"""Signed updates of what watchword ships as data: made by a supplier, installed offline, never rolled back.

A file is canonical ``{"claim": envelope, "data": {…}, "format": "watchword-update/1"}``; the claim is the supplier's,
an ordinary ``claim`` on a release whose digest is ``DJ`` of the data (docs/protocol.md, sections 3 and 4). What the
data says: ``inspect.updates``. It is installed when, in this order:

1. the file is within its bound, canonical, and of this form;
2. its signer is known: pinned by the first installation here, or named now and none was pinned;
3. the claim is signed by that supplier's key, both halves, and is on exactly this data, of this version;
4. the data reads: every name, every norm and every pack, none of which has the id of one that is shipped;
5. its version is greater than any that was installed here, removed ones too.

Then it is one file, put in place whole, with the history of this place. Not checked: whether what it denies or allows
is right; that is the signer's word, and inspections name it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.updates import DATA_FORMAT, INSTALLED_FORMAT, Added, BadUpdate, installed, parse
from watchword.ledger import durable
from watchword.limits import UPDATE_BYTES_MAX, UPDATE_HISTORY_MAX
from watchword.node import enrolment, read_home, sign_only
from watchword.policy import norm, pack
from watchword.policy.use_case import read_text, read_toml
from watchword.statements.canonical import NotCanonical, canonical, parse_canonical
from watchword.statements.digests import DJ, BadDigest, unb64
from watchword.statements.keys import KeyTrouble, Passphrase, PublicKey
from watchword.statements.statement import Subject, open_envelope, verify
from watchword.statements.times import Clock, rfc3339

FORMAT = "watchword-update/1"
SYSTEM = "watchword data"
_NEEDED = {"denied", "licence", "norms", "packs", "rebuilds", "source"}


class UnknownSigner(WatchwordError):
    """Nobody is pinned who could have signed it, or somebody else is."""


class RolledBack(WatchwordError):
    """A version that is no greater than one that was installed here."""


@dataclass(frozen=True)
class Signer:
    """A supplier whose updates are taken: its name and its one key."""

    name: str
    key: PublicKey


def make(home: Path, source: Path, version: int, clock: Clock, passphrase: Passphrase = None) -> bytes:
    """The file that a supplier issues.

    Args:
        source: TOML with ``source``, ``licence``, tables ``denied`` and ``rebuilds``, and ``norms`` and ``packs``:
            files beside it. What is left out adds nothing.

    Raises:
        BadUpdate, BadNorm, BadPack: what would not be installed.
        NoHome: not a supplier's home.
    """
    of = read_home(home)
    if of.kind != "supplier":
        raise BadUpdate(f"{home}: {of.name} is a {of.kind}", "suppliers issue updates: watchword init NAME --supplier")
    written = read_toml(source, BadUpdate)
    unknown = written.keys() - _NEEDED
    if unknown:
        raise BadUpdate(f"{source}: {min(unknown)[:80]} is no field", f"fields: {', '.join(sorted(_NEEDED))}")
    texts = {}
    for part in ("norms", "packs"):
        names = written.get(part, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadUpdate(f"{source}: {part} lists files")
        texts[part] = [read_text(source.parent / name, BadUpdate) for name in names]
    data = {
        "denied": written.get("denied", {}), "format": DATA_FORMAT, "licence": written.get("licence", ""),
        "made": rfc3339(clock.now()), "rebuilds": written.get("rebuilds", {}), "source": written.get("source", ""),
        "version": version,
    } | texts  # fmt: skip
    _check(data)
    fields = {
        "known_weaknesses": [], "release": str(version), "supplier_contact": enrolment(home)["contact"],
        "support_until": None, "system": SYSTEM, "tested": [], "trained_on": [],
    }  # fmt: skip
    subject = (Subject(f"{SYSTEM} {version}", DJ(data)),)
    claim = sign_only(home, "claim", subject, fields, clock=clock, scope="public", passphrase=passphrase)
    value = {"claim": parse_canonical(claim, "claim", UPDATE_BYTES_MAX), "data": data, "format": FORMAT}
    return canonical(value) + b"\n"


def signer_of(value: Any, what: str) -> Signer:
    """The supplier of an enrolment or of a charter's object.

    Raises:
        UnknownSigner: not a supplier's, or without exactly one key that signs.
    """
    try:
        keys = [key for key in value["keys"] if key["job"] == "supplier" and "retired" not in key]
        if len(keys) != 1 or not isinstance(value["name"], str):
            raise UnknownSigner(f"{what}: not a supplier with one key", "watchword init NAME --supplier makes one")
        key = PublicKey(unb64(keys[0]["ed25519"]), unb64(keys[0]["mldsa"]), 65)
        if key.id != keys[0]["id"]:
            raise UnknownSigner(f"{what}: its key is not the one that it names")
        return Signer(value["name"], key)
    except (KeyError, TypeError, BadDigest, KeyTrouble) as error:
        raise UnknownSigner(f"{what}: not the enrolment of a supplier") from error


def install(file: Path, place: Path, clock: Clock, signer: dict[str, Any] | None = None) -> Added:
    """Put the data of *file* in force for this user.

    Args:
        place: where it is kept (``inspect.updates.place``).
        signer: the enrolment of the supplier, where none is pinned here yet.

    Raises:
        BadUpdate, UnknownSigner, RolledBack, BadStatement, BadSignature, BadNorm, BadPack: the first thing that is
            wrong. What was installed stays.
    """
    # 1
    with file.open("rb") as opened:
        data = opened.read(UPDATE_BYTES_MAX + 1)
    if len(data) > UPDATE_BYTES_MAX:
        raise BadUpdate(f"{file}: more than {UPDATE_BYTES_MAX:,} bytes")
    try:
        value = parse_canonical(data.removesuffix(b"\n"), str(file), UPDATE_BYTES_MAX)
    except NotCanonical as error:
        raise BadUpdate(error.message, "ask its signer for the file again") from error
    if not isinstance(value, dict) or value.keys() != {"claim", "data", "format"} or value["format"] != FORMAT:
        raise BadUpdate(f"{file}: not an update of a form that this version knows")
    # 2
    kept = held(place)
    pinned = kept["signer"] if kept["signer"] is not None else signer
    if pinned is None:
        raise UnknownSigner(f"{place}: nobody's updates are taken here yet", "name the supplier: --signer")
    if signer is not None and signer_of(signer, "--signer") != signer_of(pinned, str(place)):
        raise UnknownSigner(
            f"{place}: updates of {pinned['name']} are taken here, with another key than that of {signer['name']}",
            "watchword update remove --signer forgets it, and every version that was installed",
        )
    known = signer_of(pinned, str(place))
    # 3
    signed = open_envelope(canonical(value["claim"]))
    said, digest = signed.statement, DJ(value["data"])
    verify(signed, known.key)
    if (said.kind, said.issuer, signed.key_id) != ("claim", known.name, known.key.id):
        raise UnknownSigner(f"{file}: not a claim of {known.name} with its key", "nothing of it was used")
    version = value["data"].get("version") if isinstance(value["data"], dict) else None
    named = said.predicate.get("system"), said.predicate.get("release"), [one.digest for one in said.subject]
    if named != (SYSTEM, str(version), [digest]):
        raise BadUpdate(f"{file}: what {known.name} signed is not this data", "it was changed; ask for it again")
    # 4
    added = _check(value["data"], digest)
    # 5
    if added.version <= kept["version_max"]:
        raise RolledBack(
            f"{file}: version {added.version} of {known.name}; version {kept['version_max']} was installed here before",
            "an older one is not taken: it may allow what was denied since",
        )
    event = {
        "at": rfc3339(clock.now()), "claim": said.id, "digest": digest, "version": added.version, "what": "installed",
    }  # fmt: skip
    _write(place, {
        "data": value["data"], "digest": digest, "history": [*kept["history"], event][-UPDATE_HISTORY_MAX:],
        "signer": pinned, "version_max": added.version,
    })  # fmt: skip
    return added


def remove(place: Path, clock: Clock, *, signer: bool = False) -> bool:
    """Take the data out of force; whether there was any. No older version can be installed afterwards.

    Args:
        signer: forget who signs as well, and the versions: somebody else's begin at any.
    """
    try:
        kept = held(place)
    except BadUpdate:
        kept = dict(_NOTHING)  # damaged: what it held cannot be told, and goes
        place.unlink(missing_ok=True)
        return True
    there = kept["data"] is not None
    if signer:
        place.unlink(missing_ok=True)
        return there or kept["signer"] is not None
    if there:
        event = {"at": rfc3339(clock.now()), "version": kept["data"]["version"], "what": "removed"}
        history = [*kept["history"], event][-UPDATE_HISTORY_MAX:]
        _write(place, kept | {"data": None, "digest": "", "history": history})
    return there


def held(place: Path) -> dict[str, Any]:
    """What is installed here, as ``inspect.updates.installed``; nothing where nothing is. Raises BadUpdate."""
    data = durable.read(place, UPDATE_BYTES_MAX + 1)
    return dict(_NOTHING) if data is None else installed(data, place)


_NOTHING: dict[str, Any] = {"data": None, "digest": "", "history": [], "signer": None, "version_max": 0}


def _check(data: dict[str, Any], digest: str = "") -> Added:
    """Step 4."""
    added = parse(data, digest)
    for text in added.norms:
        one = norm.parse_norm(text, "norm of the update")
        if one.id in norm.SHIPPED:
            raise BadUpdate(f"update: the norm {one.id} is shipped", "another edition of it has another id")
    for text in added.packs:
        table = pack.parse_pack(text, "pack of the update")
        if table.name in pack.SHIPPED:
            raise BadUpdate(f"update: the pack {table.name} is shipped", "another one has another name")
    return added


def _write(place: Path, value: dict[str, Any]) -> None:
    data = canonical({"format": INSTALLED_FORMAT, **value}) + b"\n"
    if len(data) > UPDATE_BYTES_MAX:
        raise BadUpdate(f"{place}: more than {UPDATE_BYTES_MAX:,} bytes")
    with durable.translated(place):
        durable.make_folder(place.parent, 0o700)
        staging = place.parent / "staging"
        durable.make_folder(staging, 0o700)
        durable.replace(place, data, staging, 0o600)
