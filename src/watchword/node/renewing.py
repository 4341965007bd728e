"""Keys and ledgers for the next charter: made here, in place once a charter that lists them is adopted.

* A new key takes the place of an old one. The old one is listed as retired, and speaks for what it signed: in this
  member's own ledgers all of it, in those of others what a quorum is known to have cosigned; or less, where a thief had
  it (*up_to*).
* A ledger has one key and one history. Another key is another ledger: the old one is closed at a head that others know,
  and what was acknowledged here and is not under that head is said again in the new one.
* From the moment that new ledgers are prepared, nothing more is signed under the old origins.
* A new record begins with the receipts of the old one, so that a gate forgets nothing that it has let go.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchword.charter.charter import HEAD_JOBS, Charter, End, Member, read_charter_file
from watchword.charter.draft import closing, retired
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.exchange import head_of
from watchword.ledger.heads import HeadStore
from watchword.ledger.log import Log, NoLedger, RolledBack
from watchword.limits import JSON_INTEGER_MAX, NOTE_BYTES_MAX, PASSKEYS_MAX
from watchword.node.home import (
    COMING,
    NEXT_KEY,
    USES,
    NoHome,
    check_roles,
    enrolment,
    is_closing,
    put_coming,
    read_home,
)
from watchword.node.node import Node
from watchword.node.store import place_of
from watchword.statements.digests import DJ, b64
from watchword.statements.keys import generate, save_key
from watchword.statements.passkeys import Passkey
from watchword.statements.times import Clock, SystemClock

RENEWED = re.compile(r"witness|gate|root(-[0-9]{1,2})?")
"""Jobs whose key another one replaces by itself. A ledger's key is replaced with the ledger."""


def known_ends(node: Node) -> dict[str, End]:
    """Where each open shared ledger would end if it were closed now: at the newest head held that a quorum cosigned."""
    return {origin: End(head.size, head.root) for origin, head in node.latest_view().heads.items()}


def renew(
    path: Path, passphrase: bytes | None, *, job: str = "", person: str = "", roles: Sequence[str] = (),
    up_to: Mapping[str, int] | None = None,
) -> str:  # fmt: skip
    """Make a key for the next charter: another one for *job* or *person*, or the first of a new person. Returns its id.

    Nothing changes until a charter that lists it is adopted.

    Args:
        job: ``witness``, ``gate``, ``root``, ``root-2`` and so on.
        roles: of the person; those that it had, where it has a key already.
        up_to: where a thief had the old key: below which size of which ledger it speaks; nowhere else.

    Raises:
        NoHome: no member's home, or a job whose key stays.
        KeyTrouble: a key of this name is waiting already.
    """
    home, value = read_home(path), enrolment(path, coming=True)
    if home.kind != "member" or (job and not RENEWED.fullmatch(job)):
        what = f"{home.name}: no key of {job or 'a person'} is renewed here"
        raise NoHome(what, "renewed are witness, gate, root; a ledger's key goes with it: watchword ledger init --anew")
    base = job.partition("-")[0] or "people"
    old = _old_key(value, job, person)
    if job and old is None:
        raise NoHome(f"{home.name}: has no key {job}")
    if person:
        roles = roles or (old["roles"] if old is not None else ())
        check_roles(person, roles)
    key = generate(44 if base in HEAD_JOBS else 65)
    name = f"people/{person}" if person else job
    save_key(path / "keys" / f"{name}{'.pem' if old is None else NEXT_KEY}", key, passphrase)
    new = {**key.public.value(), "job": base} | ({"person": person, "roles": list(roles)} if person else {})
    if person and old is not None and "passkeys" in old:
        new["passkeys"] = old["passkeys"]
    keys = [new if one is old else one for one in value["keys"]] + ([] if old is not None else [new])
    if old is not None and base != "witness":
        keys += _retired(path, value, old, up_to)
    put_coming(path, value | {"keys": keys})
    return key.public.id


def retire(path: Path, person: str, up_to: Mapping[str, int] | None = None) -> str:
    """Retire a person's key in the next charter, without another in its place. Returns its id. Raises NoHome."""
    value, old = _person(path, person)
    keys = [one for one in value["keys"] if one is not old]
    put_coming(path, value | {"keys": keys + _retired(path, value, old, up_to)})
    return str(old["id"])


def add_passkey(path: Path, person: str, passkey: Passkey) -> None:
    """List a device of *person* in the next charter, beside those that he has; a second time is as once.

    Raises:
        NoHome: no person of that name here has a key, or he has PASSKEYS_MAX devices.
    """
    value, old = _person(path, person)
    listed = [one for one in old.get("passkeys", []) if one["id"] != b64(passkey.id)] + [passkey.value()]
    if len(listed) > PASSKEYS_MAX:
        raise NoHome(f"{person}: has {PASSKEYS_MAX} passkeys already", "drop one: watchword keys --drop FINGERPRINT")
    _put_key(path, value, old, old | {"passkeys": listed})


def drop_passkey(path: Path, fingerprint: str) -> str:
    """List a device no more in the next charter. Returns whose it was. Raises NoHome."""
    value = enrolment(path, coming=True)
    for old in value["keys"]:
        listed = [] if "retired" in old else old.get("passkeys", [])
        kept = [one for one in listed if DJ(one) != fingerprint]
        if len(kept) < len(listed):
            rest = {name: part for name, part in old.items() if name != "passkeys"}
            _put_key(path, value, old, rest | ({"passkeys": kept} if kept else {}))
            return str(old["person"])
    raise NoHome(f"{fingerprint[:80]}: no passkey here has this fingerprint", "watchword keys lists them")


def _person(path: Path, person: str) -> tuple[dict[str, Any], dict[str, Any]]:
    value = enrolment(path, coming=True)
    old = _old_key(value, "", person)
    if old is None:
        raise NoHome(f"{person}: no person here has such a key")
    return value, old


def _put_key(path: Path, value: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    # A charter lists it: this one, where none is adopted yet; else the next.
    file = COMING if (path / "charter.json").exists() else "enrolment.json"
    put_coming(path, value | {"keys": [new if one is old else one for one in value["keys"]]}, file)


def begin_anew(path: Path, passphrase: bytes | None, clock: Clock | None = None) -> dict[str, Any]:
    """Prepare new ledgers with a new key, and a new witness key; from now on the old ones take nothing. Once.

    Returns:
        The coming enrolment. Its ``closes`` say where the old ledgers end: at the newest head of each that a quorum
        cosigned, as far as is known here, even past what is on this disk.

    Raises:
        NoHome: no member's home, or no charter adopted.
        KeyTrouble: the keys' folder.
    """
    value = enrolment(path, coming=True)
    if value.get("closes"):
        return value
    with Node.open(path, clock=clock or SystemClock()) as node:
        node.must_sign()
        charter, me = node.charter, node.me
        ends = {use: _end(node, me.origins[use]) for use in ("ledger", "notices")}
    version = charter.version + 1
    domain = re.sub(r"(/[0-9]+)?/ledger\Z", "", me.origins["ledger"])
    keys = [one for one in value["keys"] if one["job"] not in HEAD_JOBS or "retired" in one]
    for job in sorted(HEAD_JOBS):
        coming = path / "keys" / f"{job}{NEXT_KEY}"
        if coming.exists():
            raise NoHome(f"{coming}: a key is waiting already", "adopt the charter it is for")
        key = generate(44)
        save_key(coming, key, passphrase)
        keys.append({**key.public.value(), "job": job})
    sizes = {me.origins[use]: end.size for use, end in ends.items()}
    keys.append(retired(_old_key(value, "ledger", ""), version, sizes))
    closes = [closing(me, use, end) for use, end in ends.items()]
    origins = {use: f"{domain}/{version}/{use}" for use in USES}
    value = value | {"closes": closes, "keys": keys, "origins": origins}
    put_coming(path, value)
    return value


def begin_if_superseded(node: Node) -> None:
    """Prepare new ledgers where another signed history of an own one is known.

    A node that was put back to an older state has lost what it said since; others hold it. It must not say anything
    else in that place. A thief of the ledger's key has the same effect.
    """
    superseded = [o for use, o in node.me.origins.items() if use != "record" and node.store.retired(o)]
    if not superseded or not node.writing or node.receives or is_closing(node.home):
        return
    try:
        begin_anew(node.home, node.keys.passphrase_for_new(), node.clock)
    except WatchwordError:
        # What came in is kept all the same. The old ledger takes nothing more, and says so with the command to type.
        return


def what_next(path: Path) -> str:
    """What a member whose ledgers are closing does to go on."""
    value = enrolment(path, coming=True)
    ends = ", ".join(f"{one['origin']} at size {one['size']:,}" for one in value["closes"])
    return (
        f"{value['name']} says nothing more under its old ledgers; they end with {ends}. To go on:\n"
        f"  watchword charter propose {path / COMING}   then the others ratify it and all adopt it\n"
        f"what was acknowledged here and is not in the old ledgers is then said in {value['origins']['ledger']}"
    )


def move_ledgers(path: Path, before: Member, after: Charter) -> None:
    """Put closed ledgers of this member aside and open the new ones; again, after a kill, it finishes."""
    me = after.member(before.name)
    for use in USES:
        if before.origins[use] != me.origins[use]:
            _move(path, use, before.origins[use], me.origins[use], after)


def _move(path: Path, use: str, old: str, new: str, after: Charter) -> None:
    own, aside, heads = path / use, path / "mirrors" / place_of(old), path / "heads"
    with durable.translated(path):
        durable.make_folder(aside.parent)
        if not aside.exists() and own.exists():
            own.replace(aside)
            durable.sync_folder(aside.parent)
    kept = _not_closed_over(aside, use, old, heads, after)
    if HeadStore(heads, new).read() is None:
        Log.create(own, new, heads).close()
    with Log.open(own, new, heads, writable=True) as log:
        if log.size < len(kept):
            log.append(kept[log.size :])
    if not (aside / "mirror").exists() and aside.exists():
        with durable.translated(aside):
            durable.make_folder(aside / "staging", 0o700)
            durable.replace(aside / "mirror", b"", aside / "staging", 0o600)


def _not_closed_over(folder: Path, use: str, origin: str, heads: Path, after: Charter) -> list[bytes]:
    """The entries acknowledged under the old origin that its end does not hold; of a record, all."""
    if (folder / "mirror").exists():
        # It was put aside whole before: what it had to give is in the new ledger.
        return []
    try:
        with Log.open(folder, origin, heads, writable=True) as log:
            if use == "record":
                return log.entries(0, log.size)
            end = after.origins[origin].end
            known = end is not None and end.size <= log.published_size and log.root(end.size) == end.root
            return log.entries(end.size if end is not None and known else log.published_size, log.size)
    except RolledBack:
        # Nothing is signed under this origin any more: what others hold of it comes back as a mirror.
        shutil.rmtree(folder)
        HeadStore(heads, origin).path.unlink()
        return []
    except NoLedger:
        return []


def _old_key(value: dict[str, Any], job: str, person: str) -> Any:
    """The key that another one replaces: of a person, of a job, or the n-th root key in the order written."""
    base, _, number = job.partition("-")
    of = [one for one in value["keys"] if "retired" not in one]
    if person:
        return next((one for one in of if one.get("person") == person), None)
    found = [one for one in of if one["job"] == base]
    place = int(number or 1) - 1
    return found[place] if 0 <= place < len(found) else None


def _retired(path: Path, value: dict[str, Any], old: dict[str, Any], up_to: Mapping[str, int] | None) -> list[Any]:
    """*old* as the next charter retires it; nothing where no charter lists it yet."""
    if not (path / "charter.json").exists():
        return []
    charter = read_charter_file(path / "charter.json").charter
    if old["id"] not in charter.holders:
        return []
    if up_to is None:
        with Node.open(path) as node:
            ends = known_ends(node)
        own = {origin: JSON_INTEGER_MAX for use, origin in value["origins"].items() if use != "record"}
        up_to = {origin: end.size for origin, end in ends.items()} | own
    return [retired(old, charter.version + 1, up_to)]


def _end(node: Node, origin: str) -> End:
    """The newest head of an own ledger that a quorum cosigned; a peer may have shown one past our own tiles."""
    best = known_ends(node).get(origin)
    for folder in node.store.splits():
        note = durable.read(folder / "theirs", NOTE_BYTES_MAX)
        try:
            head = None if note is None else head_of(node.charter, origin, note, node.store.now_s())
        except WatchwordError:
            continue
        if head is not None and head.time_s is not None and (best is None or head.checkpoint.size > best.size):
            best = End(head.checkpoint.size, head.checkpoint.root)
    if best is None:
        raise NoHome(f"{origin}: no head with a quorum is known here", "exchange with the others first")
    return best
