"""A home: the folder of a member's node, or of a supplier, with its keys. Made once, never overwritten.

    node.toml                   what this home is: a member or a supplier, its name
    enrolment.json              the public part: what a charter is drafted from
    keys/<job>.pem              root, ledger, witness, gate; or supplier. keys/people/<person>.pem
    charter.json, alliance.secret, ledger/ …    after a charter was adopted (see ``adopt``, ``store``)

* A home appears whole or not at all: it is made aside and renamed.
* One key per job. Heads are signed by keys of ML-DSA level 44, statements by level 65.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, overload

from watchword import __version__
from watchword.charter.charter import HEAD_JOBS, SINGLE_JOBS, Charter
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.notes import check_name
from watchword.limits import CHARTER_BYTES_MAX, NODE_LOCK_PAUSE_S, NODE_LOCK_WAIT_S_MAX, PEOPLE_DAYS_MAX, ROOT_KEYS_MAX
from watchword.node.lease import Turn, Watch, finish
from watchword.statements import pkcs8
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.keys import KeyTrouble, Passphrase, SigningKey, generate, generate_behind, load_key, save_key

FOLDER = ".watchword"
USES = ("ledger", "notices", "record")
FORMAT = 2
"""Of a home. 1: the first. 2: ``node.toml`` names the watchword that made it or brought it up (see ``upgrading``)."""
COMING = "enrolment.next.json"
"""The enrolment for the next charter; it takes the place of the other one when that charter is adopted."""
RESTORED = "restored.json"
"""There, in a home that was put back from a copy, until a charter lists new ledgers and a new witness key for it."""
NEXT_KEY = ".next.pem"
"""How the file of a key ends that waits for the next charter."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class NoHome(WatchwordError):
    """There is no home where one is needed, one where none may be, or it is not of the kind that was asked for."""


class BusyNode(WatchwordError):
    """Another process writes this node."""

    about_machine = True


@dataclass(frozen=True)
class Home:
    """What ``node.toml`` says: ``kind`` is ``member``, ``supplier``, or ``receiver`` of a member, without keys."""

    path: Path
    kind: str
    name: str
    peers: Mapping[str, str] = field(default_factory=dict)
    format: int = 1
    people_days: int | None = None


@overload
def find_home(explicit: Path | None = None, *, missing_ok: Literal[False] = False) -> Path: ...
@overload
def find_home(explicit: Path | None = None, *, missing_ok: bool) -> Path | None: ...
def find_home(explicit: Path | None = None, *, missing_ok: bool = False) -> Path | None:
    """The home to use: *explicit*, else $WATCHWORD_HOME, else the nearest ``.watchword/`` upward, as git does.

    Raises:
        NoHome: none there, unless *missing_ok*.
    """
    named = explicit or (Path(os.environ["WATCHWORD_HOME"]) if os.environ.get("WATCHWORD_HOME") else None)
    if named is not None:
        candidates = [named]
    else:
        here = Path.cwd()
        candidates = [folder / FOLDER for folder in (here, *here.parents)]
    for candidate in candidates:
        if (candidate / "node.toml").is_file():
            return candidate
    if missing_ok:
        return None
    where = str(named) if named is not None else f"{FOLDER} here or above"
    raise NoHome(f"{where}: no node", "make one with: watchword init NAME")


def read_home(path: Path) -> Home:
    """Read ``node.toml``.

    Raises:
        NoHome: missing, or not one that this version wrote.
    """
    try:
        value = tomllib.loads((path / "node.toml").read_text("utf-8"))
    except FileNotFoundError:
        raise NoHome(f"{path}: no node", "make one with: watchword init NAME") from None
    except (OSError, ValueError, RecursionError) as error:
        raise NoHome(f"{path / 'node.toml'}: {error}") from error
    kind, name = value.get("kind"), value.get("name")
    form, by = value.get("format"), value.get("watchword", "")
    if not isinstance(form, int) or isinstance(form, bool) or form > FORMAT:
        made = f"watchword {by[:40]}" if isinstance(by, str) and by else "a newer watchword"
        raise NoHome(
            f"{path / 'node.toml'}: a home of format {str(form)[:40]}, made by {made}; watchword {__version__} knows "
            f"formats 1 to {FORMAT}",
            "upgrade watchword; nothing here was touched",
        )
    if form < 1 or kind not in ("member", "supplier", "receiver") or not isinstance(name, str):
        raise NoHome(f"{path / 'node.toml'}: not of a form this version knows", "put it back from a copy")
    peers = value.get("peers", {})
    if not isinstance(peers, dict) or not all(isinstance(url, str) for url in peers.values()):
        raise NoHome(f"{path / 'node.toml'}: peers are written as [peers] and MEMBER = \"https://…\"")
    return Home(path, kind, name, peers, form, _people_days(path, value.get("retention", {})))


def _people_days(path: Path, stated: Any) -> int | None:
    """How many days a name is kept, of ``[retention]`` (see ``people``); what cannot be read is not guessed at."""
    if stated == {}:
        return None
    days = stated.get("people_days") if isinstance(stated, dict) and len(stated) == 1 else None
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= PEOPLE_DAYS_MAX:
        raise NoHome(f"{path / 'node.toml'}: [retention] holds people_days, from 0 to {PEOPLE_DAYS_MAX:,}, and no more")
    return days


def enrolment(path: Path, *, coming: bool = False) -> dict[str, Any]:
    """The public part of a home: the member or supplier object of a charter.

    Args:
        coming: as it is to be in the next charter, where keys were made for one.

    Raises:
        NoHome, NotCanonical: not there, or damaged.
    """
    file = path / "enrolment.json"
    if coming and (path / COMING).is_file():
        file = path / COMING
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NoHome(f"{file}: {error.strerror}") from error
    value = parse_canonical(data, str(file), CHARTER_BYTES_MAX)
    if not isinstance(value, dict):
        raise NoHome(f"{file}: not an enrolment")
    return value


def create(
    path: Path, member: str, operator: str, people: dict[str, list[str]], domain: str, passphrase: bytes | None,
    signers: Mapping[str, tuple[str, bytes]] = MappingProxyType({}), roots: int = 1, root_threshold: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Make a member's home with all its keys.

    Args:
        path: must not exist, or be an empty folder.
        operator: who runs the keys and machines; quorums count operators.
        people: person to roles.
        domain: what the origins of its ledgers begin with, such as ``alfa.example``.
        passphrase: encrypts every key; None leaves them in plain files of mode 0600.
        signers: for a job or person whose Ed25519 half stays behind a signer: its URI and public key (32 bytes).
        roots, root_threshold: how many root keys to make (``root``, ``root-2``, …), and how many of them speak for it.

    Returns:
        The enrolment: public keys, origins and witness name.

    Raises:
        NoHome: something is there already, or a name cannot be one.
        KeyTrouble, StorageTrouble: the disk.
    """
    for name in (member, operator, *people):
        _check(name)
    if not people:
        raise NoHome(f"{member}: no people", "name at least one person, such as evaluator:evaluator")
    reserved = {"root", "supplier", "gate"}
    if any(not roles or reserved & set(roles) for roles in people.values()):
        raise NoHome(f"{member}: a person has one role or more, and no role is called root, supplier or gate")
    origins = {use: f"{domain}/{use}" for use in USES}
    witness = f"{domain}/witness"
    for origin in (*origins.values(), witness):
        check_name(origin, "origin")
    unknown = signers.keys() - {*SINGLE_JOBS, *people}
    if unknown:
        raise NoHome(f"{min(unknown)}: neither a job nor a person here", f"jobs: {', '.join(SINGLE_JOBS)}")

    def made(name: str, level: int) -> SigningKey:
        return generate_behind(*signers[name], level) if name in signers else generate(level)

    if not 1 <= root_threshold <= roots <= ROOT_KEYS_MAX:
        raise NoHome(f"{member}: {root_threshold} of {roots} root keys", f"at least 1 of at most {ROOT_KEYS_MAX}")
    keys = {job: made(job, 44 if job in HEAD_JOBS else 65) for job in SINGLE_JOBS}
    keys |= {f"root-{number}": made("root", 65) for number in range(2, roots + 1)}
    persons = {person: made(person, 65) for person in people}
    value = {
        "keys": [
            *({**key.public.value(), "job": job.partition("-")[0]} for job, key in keys.items()),
            *(
                {**persons[person].public.value(), "job": "people", "person": person, "roles": list(roles)}
                for person, roles in people.items()
            ),
        ],
        "name": member,
        "operator": operator,
        "origins": origins,
        "witness": witness,
    } | ({"root_threshold": root_threshold} if roots > 1 else {})
    _make(path, "member", member, value, keys, persons, passphrase)
    return value


def create_supplier(path: Path, name: str, contact: str, passphrase: bytes | None) -> dict[str, Any]:
    """Make a supplier's home: one key, no ledgers. Returns and raises as ``create``."""
    _check(name)
    key = generate(65)
    value = {"contact": contact, "keys": [{**key.public.value(), "job": "supplier"}], "name": name}
    _make(path, "supplier", name, value, {"supplier": key}, {}, passphrase)
    return value


def create_receiver(path: Path, member: str) -> None:
    """Make a home that receives for *member* behind a data diode: no keys, no own ledgers. Raises as ``create``."""
    _check(member)
    _make(path, "receiver", member, {}, {}, {}, None)


def check_roles(person: str, roles: Sequence[str]) -> None:
    """Check that a person can be called so and have these roles. Raises NoHome."""
    _check(person)
    if not roles or {"root", "supplier", "gate"} & set(roles):
        raise NoHome(f"{person}: a person has one role or more, and no role is called root, supplier or gate")


def put_coming(path: Path, value: dict[str, Any], file: str = COMING) -> None:
    """Keep the enrolment for the next charter, whole."""
    with durable.translated(path):
        durable.make_folder(path / "staging", 0o700)
        durable.replace(path / file, canonical(value) + b"\n", path / "staging")


def is_closing(path: Path) -> bool:
    """Whether new ledgers are prepared in this home, so that the old ones take nothing more."""
    return (path / COMING).exists() and bool(enrolment(path, coming=True).get("closes"))


def is_restored(path: Path) -> bool:
    """Whether this home was put back from a copy and may have said and cosigned since what it does not know."""
    return (path / RESTORED).exists()


def install_coming(path: Path) -> None:
    """Put the renewed keys and the enrolment for the next charter in place; again, after a kill, it finishes."""
    with durable.translated(path):
        for coming in sorted((path / "keys").rglob(f"*{NEXT_KEY}")):
            coming.replace(coming.with_name(coming.name.removesuffix(NEXT_KEY) + ".pem"))
        if (path / COMING).exists():
            value = enrolment(path, coming=True)
            anew = value.pop("closes", None) is not None
            durable.replace(path / "enrolment.json", canonical(value) + b"\n", path / "staging")
            (path / COMING).unlink()
            if anew:
                (path / RESTORED).unlink(missing_ok=True)
        for folder in (path / "keys" / "people", path / "keys", path):
            durable.sync_folder(folder)


class Keys:
    """The private keys of a home, decrypted when they are first used. A passphrase is asked for once.

    A file that holds another key than the enrolment names signs nothing: a head that it signed would already stand.
    """

    def __init__(self, home: Path, passphrase: Passphrase) -> None:
        self._home = home
        self._folder = home / "keys"
        self._passphrase = passphrase
        self._loaded: dict[Path, SigningKey] = {}

    def job(self, job: str) -> SigningKey:
        """The key of ``root`` (``root-2``, …), ``ledger``, ``witness``, ``gate``, ``supplier``. Raises KeyTrouble."""
        _check(job)
        return self._load(self._folder / f"{job}.pem", job.partition("-")[0], None)

    def person(self, person: str) -> SigningKey:
        """The key of a person. Raises KeyTrouble."""
        _check(person)
        return self._load(self._folder / "people" / f"{person}.pem", "people", person)

    def passphrase_for_new(self) -> bytes | None:
        """What encrypts a new key: the passphrase of the others, or nothing where they are in plain files.

        Raises:
            KeyTrouble: no passphrase is given.
        """
        path = self._folder / "witness.pem"
        return self._ask() if path.is_file() and pkcs8.ENCRYPTED in path.read_bytes() else None

    def has_job(self, job: str) -> bool:
        """Whether the key of that job is in this home."""
        return (self._folder / f"{job}.pem").is_file()

    def has_person(self, person: str) -> bool:
        """Whether that person's key is in this home."""
        return (self._folder / "people" / f"{person}.pem").is_file()

    def _load(self, path: Path, job: str, person: str | None) -> SigningKey:
        if path not in self._loaded:
            if not path.is_file():
                raise KeyTrouble(f"{path}: no such key in this home", "sign where the key is, or name another person")
            key = load_key(path, self._ask)
            listed = [one for one in enrolment(self._home)["keys"] if "retired" not in one]
            named = {(one["job"], one.get("person"), one["id"]) for one in listed}
            if (job, person, key.public.id) not in named:
                raise KeyTrouble(
                    f"{path}: holds another key than the enrolment of this home names",
                    "put the right key back in place",
                )
            self._loaded[path] = key
        return self._loaded[path]

    def _ask(self) -> bytes:
        if callable(self._passphrase):
            self._passphrase = self._passphrase()
        if self._passphrase is None:
            raise KeyTrouble("the keys of this home are encrypted", "give the passphrase")
        return self._passphrase


def ours_in(charter: Charter, home: Home, *, coming: bool = False) -> None:
    """Check that a member's home is the one that *charter* names, key by key.

    Raises:
        NoHome: not a member of it, or its keys, origins or witness name differ from the enrolment.
    """
    if home.kind == "supplier":
        raise NoHome(f"{home.path}: {home.name} is a supplier, which has no ledgers", "a supplier signs claims only")
    value = None if home.kind == "receiver" else enrolment(home.path, coming=coming)
    for name in [member.name for member in charter.members] + [supplier.name for supplier in charter.suppliers]:
        # Names become file names here and in exchange folders.
        _check(name)
    stated = next((one for one in charter.value["members"] if one["name"] == home.name), None)
    if stated is None:
        raise NoHome(f"{home.name} is not a member of {charter.alliance}, charter {charter.version}")
    if value is None:
        return
    for what in ("keys", "origins", "witness", "operator", "root_threshold"):
        if canonical(stated.get(what)) != canonical(value.get(what)):
            raise NoHome(
                f"charter {charter.version} of {charter.alliance}: {what} of {home.name} are not those of this home",
                "the charter was drafted from another enrolment; send enrolment.json again",
            )


def lock_home(home: Path, name: str) -> Turn:
    """Take the writer's lock of a home; processes take turns, and one that gives no sign of life loses its own.

    Raises:
        BusyNode: another process kept it for NODE_LOCK_WAIT_S_MAX; names its id.
    """
    until, watch = time.monotonic() + NODE_LOCK_WAIT_S_MAX, Watch(home)
    while True:
        try:
            lock = durable.Lock(home / "lock", f"node {name}")
            break
        except durable.Busy as error:
            if watch.silent():
                watch.take_over()
            elif time.monotonic() > until:
                raise BusyNode(
                    f"{home}: node {name} is being written by process {watch.holder()}",
                    "wait for it, or end that process",
                ) from error
            else:
                time.sleep(NODE_LOCK_PAUSE_S)
    finish(home)
    return Turn(lock, home / "staging")


def _make(
    path: Path,
    kind: str,
    name: str,
    value: dict[str, Any],
    keys: dict[str, SigningKey],
    persons: dict[str, SigningKey],
    passphrase: bytes | None,
) -> None:
    """Write a home aside, sync it, and rename it into place."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise NoHome(f"{path}: something is there already", "a node is made once; name another folder with --home")
    parent = path.absolute().parent
    with durable.translated(path):
        durable.make_folder(parent)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=parent))
        try:
            (aside / "keys" / "people").mkdir(mode=0o700, parents=True)
            (aside / "staging").mkdir(mode=0o700)
            for job, key in keys.items():
                save_key(aside / "keys" / f"{job}.pem", key, passphrase)
            for person, key in persons.items():
                save_key(aside / "keys" / "people" / f"{person}.pem", key, passphrase)
            text = (
                f"# A watchword node. Made by: watchword init {name}\nformat = {FORMAT}\n"
                f'watchword = "{__version__}"\nkind = "{kind}"\nname = "{name}"\n'
            )
            durable.replace(aside / "enrolment.json", canonical(value) + b"\n", aside / "staging")
            durable.replace(aside / "node.toml", text.encode(), aside / "staging")
            for folder in (aside / "keys" / "people", aside / "keys", aside):
                durable.sync_folder(folder)
            aside.replace(path)
            durable.sync_folder(parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise NoHome(
            f"{name[:80]!r} cannot be a name", "letters, digits, dot, dash and underscore; at most 64; no leading dot"
        )
