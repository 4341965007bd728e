"""A member joins: a ceremony of files in one folder, in which what matters is read aloud (docs/protocol.md, 7).

Where the ceremony stands is no file of its own: it follows from what lies in its folder and in this home, so that
whoever was interrupted calls ``join`` again. Each call takes every step that can be taken here, and says who owes the
next.

A member of the alliance:

1. hears the digits of the newcomer's enrolment from the newcomer, and types what it heard; they are not on its screen;
2. drafts the charter that lists the newcomer, or ratifies the one that another member drafted, if that changes nothing
   else; and reads its digits to the newcomer;
3. adopts it when the quorum of the charter in force has ratified it, and exchanges files.

The newcomer:

1. puts its enrolment in the folder, and reads its digits to each member;
2. hears the digits of the charter from as many members as ``voices_needed`` says: a charter ratifies itself, so the
   list of keys in it can be a liar's; only voices tell;
3. ratifies it, adopts it when as many others have as it asks for, exchanges, and is done when a quorum has cosigned its
   ledgers and nothing in it is ill.

Not decided here: whether somebody should join. A charter that changes more than that is read and ratified by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchword.charter.charter import Charter, CharterFile, Member, parse_charter, parse_charter_file
from watchword.charter.draft import successor
from watchword.charter.lint import lint
from watchword.charter.standing import NotInForce, ratified_by
from watchword.charter.succession import DoesNotFollow, verify_follows, verify_shape
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import CEREMONY_FILES_MAX, CHARTER_BYTES_MAX, ENVELOPE_BYTES_MAX, JOIN_VOICES_MIN
from watchword.node.adopt import adopt, ratify
from watchword.node.carry import write_whole
from watchword.node.examining import examine
from watchword.node.home import enrolment, ours_in, read_home
from watchword.node.node import Node
from watchword.node.sync import sync
from watchword.node.witnessing import ask_witnesses
from watchword.statements.canonical import NotCanonical, canonical, parse_canonical
from watchword.statements.digests import D, spoken
from watchword.statements.keys import Passphrase
from watchword.statements.statement import open_envelope
from watchword.statements.times import Clock, parse_time, rfc3339

HEARD = "joining.json"
"""In a home: what its people heard and typed, of which bytes, from whom, and when."""
_HEARD_FORMAT = "watchword-joining/1"
_RECORD_FORMAT = "watchword-ceremony/1"
_FIELDS = {"keys", "name", "operator", "origins", "witness", "root_threshold"}


class CannotJoin(WatchwordError):
    """A file of the ceremony that nobody should go on with; nothing was signed."""


class WrongDigits(WatchwordError):
    """What was heard is not what lies here: one of the two is not what the other side has."""


@dataclass(frozen=True)
class Heard:
    """Digits as somebody typed them. ``by``: who read them; empty where that can only be the newcomer."""

    digits: str
    by: str = ""


@dataclass
class Joined:
    """What one call did, and what is owed. ``waits`` is empty when the newcomer is a member like the others."""

    newcomer: str
    digits: str
    done: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    charter: Charter | None = None
    record: dict[str, Any] | None = None

    def value(self) -> dict[str, Any]:
        """As JSON data."""
        charter = None if self.charter is None else self.charter.digest
        return {"charter": charter, "done": self.done, "newcomer": self.newcomer, "waits": self.waits}


@dataclass(frozen=True)
class _Ceremony:
    """Here: the home, the folder, and how its people are asked."""

    home: Path
    folder: Path
    clock: Clock
    passphrase: Passphrase
    root: str


def join(
    home: Path, folder: Path, *, clock: Clock, heard: Heard | None = None, secret: Path | None = None,
    peers: Mapping[str, str] | None = None, passphrase: Passphrase = None, root: str = "root",
) -> Joined:  # fmt: skip
    """Take every step of the ceremony in *folder* that can be taken in *home* now.

    Args:
        heard: what the other side read aloud, as it was typed here.
        secret: the alliance secret as the newcomer got it by hand.
        peers: with whom to talk over HTTP once the charter is adopted, besides the files in *folder*.
        root: which root key ratifies.

    Raises:
        WrongDigits: what was heard is something else; nothing was signed or adopted.
        CannotJoin, DoesNotFollow, BadCharter: a file of the ceremony is not what it should be.
        KeyTrouble: the root key is not here.
    """
    if not folder.is_dir():
        raise CannotJoin(f"{folder}: no such folder", "make one that all can reach, or carry: mkdir")
    here = _Ceremony(home, folder, clock, passphrase, root)
    of = read_home(home)
    if of.kind != "member":
        raise CannotJoin(f"{home}: {of.name} is a {of.kind}", "members join; a charter lists suppliers")
    adopted = home / "charter.json"
    if not adopted.is_file() or (folder / f"{of.name}.enrolment.json").is_file():
        return _newcomer(here, of.name, heard, secret, peers or {})
    return _member(here, of.name, parse_charter_file(adopted.read_bytes(), str(adopted)), heard, peers or {})


def voices_needed(charter: Charter, newcomer: str) -> int:
    """From how many members of distinct operators a newcomer hears the digits of *charter*.

    One more than may be dishonest, and two at least, because that number is read in the very file that is in doubt; or
    all others, where there are fewer.
    """
    return min(max(JOIN_VOICES_MIN, charter.quorum.faulty + 1), len(_others(charter, newcomer)))


# -- the newcomer -----------------------------------------------------------------------------------------------


def _newcomer(
    here: _Ceremony, name: str, heard: Heard | None, secret: Path | None, peers: Mapping[str, str]
) -> Joined:
    mine = canonical(enrolment(here.home)) + b"\n"
    at = here.folder / f"{name}.enrolment.json"
    joined = Joined(name, spoken(D(mine)))
    lying = durable.read(at, CHARTER_BYTES_MAX)
    if lying is None:
        write_whole(at, mine)
        joined.done.append(f"wrote {at}")
    elif lying != mine and not (here.home / "charter.json").is_file():
        raise CannotJoin(f"{at}: not the enrolment of {here.home}", "somebody changed it; tell the members, delete it")
    # 2
    file = _proposal(here, name)
    if file is None:
        if heard is not None:
            raise CannotJoin(f"{here.folder}: no charter that lists {name} yet", "read them your digits first")
        joined.waits.append(f"read these digits to each member, and to nobody who calls you: {joined.digits}")
        joined.waits.append("the members: each types them into watchword join; the first drafts the charter")
        return joined
    charter = joined.charter = file.charter
    ours_in(charter, read_home(here.home))
    voices = _voices(here, charter, name, heard)
    needed = voices_needed(charter, name)
    operators = {charter.member(one["by"]).operator for one in voices}
    joined.done += [f"{one['by']} read the digits of charter {charter.version} at {one['at']}" for one in voices]
    if len(operators) < needed:
        members = ", ".join(one.name for one in charter.members if one.name != name)
        joined.waits.append(
            f"call members at numbers that you had before, and type what each reads: {len(operators)} of {needed} heard"
        )
        joined.waits.append(f"the file says: {charter.alliance}, charter {charter.version}, members {members}")
        return joined
    # 3
    if name not in ratified_by(file):
        file = _ratify(here, file, joined)
    return _become(here, name, file, secret, peers, joined)


def _become(
    here: _Ceremony, name: str, file: CharterFile, secret: Path | None, peers: Mapping[str, str], joined: Joined
) -> Joined:
    charter, by = file.charter, ratified_by(file)
    # The newcomer's own ratification puts nothing in force for the others.
    others = {operator for member, operator in by.items() if member != name}
    if len(others) < charter.quorum.ratify or name not in by:
        missing = ", ".join(one.name for one in charter.members if one.name not in by)
        joined.waits.append(f"ratified by {len(others)} operators besides {name}, {charter.quorum.ratify} needed")
        joined.waits.append(f"not yet ratified by {missing}")
        return joined
    if parse_time(charter.effective) > here.clock.now():
        joined.waits.append(f"charter {charter.version} is in force from {charter.effective} on")
        return joined
    if not (here.home / "charter.json").is_file():
        if secret is None:
            joined.waits.append("the alliance secret, from a member's hand into yours: then --secret FILE")
            return joined
        adopt(here.home, file, secret.read_bytes(), here.clock)
        joined.done.append(f"adopted charter {charter.version} of {charter.alliance}; ledgers opened")
    _exchange(here, peers, joined)
    with Node.open(here.home, clock=here.clock) as node:
        own = [head for head in node.heads() if head.origin in node.me.origins.values()]
    for head in own:
        names = ", ".join(who for who, _ in head.witnesses) or "nobody"
        if head.time is None or head.waiting:
            joined.waits.append(f"{head.origin}: cosigned by {names}, which is no quorum yet; the others run this too")
    if joined.waits:
        return joined
    ill = [one for one in examine(here.home, peers, here.clock) if one.state == "ill"]
    joined.waits += [f"{one.about}: {one.what}; to do: {one.mend}" for one in ill]
    if not ill:
        joined.done.append(f"cosigned by a quorum, and nothing is ill: {name} is a member of {charter.alliance}")
        _write_record(here, name, name, file, joined, {head.origin: head.value() for head in own})
    return joined


# -- a member ---------------------------------------------------------------------------------------------------


def _member(here: _Ceremony, me: str, mine: CharterFile, heard: Heard | None, peers: Mapping[str, str]) -> Joined:
    name, value, data = _enrolment_of_newcomer(here, mine.charter)
    joined = Joined(name, spoken(D(data)))
    if name in {one.name for one in mine.charter.members}:
        joined.charter = mine.charter
        _exchange(here, peers, joined)
        _write_record(here, me, name, mine, joined, {})
        return joined
    before = mine.charter
    alone = parse_charter(successor(before, [value], [], made=rfc3339(here.clock.now())))
    joined.done.append(_described(alone.member(name)))
    # 1
    noted = [one for one in _noted(here.home) if one["of"] == D(data) and one["by"] == name]
    if heard is not None:
        _compare(heard, joined.digits, f"{name}'s enrolment")
        noted = [_note(here, name, D(data))]
    if not noted:
        joined.waits.append(f"call {name} at a number that you had before, and type the digits that it reads")
        return joined
    joined.done.append(f"{name} read the digits of its enrolment at {noted[-1]['at']}")
    # 2
    file = _proposal(here, name)
    if file is None:
        file = _draft(here, before, alone, joined)
    else:
        verify_shape(before, file.charter)
        if me not in _ratifying(before, file):
            _only_the_newcomer(before, file.charter, value)
            file = _ratify(here, file, joined)
    charter = joined.charter = file.charter
    joined.done.append(f"read to {name}, when it calls you, the digits of charter {charter.version}: "
                       f"{spoken(charter.digest)}")  # fmt: skip
    # 3
    try:
        verify_follows(before, file)
    except DoesNotFollow as error:
        joined.waits.append(f"{error.message}; ratified so far by {', '.join(sorted(ratified_by(file)))}")
        return joined
    adopt(here.home, file, (here.home / "alliance.secret").read_bytes(), here.clock)
    if parse_time(charter.effective) > here.clock.now():
        joined.waits.append(f"charter {charter.version} is in force from {charter.effective} on")
        return joined
    joined.done.append(f"adopted charter {charter.version} of {charter.alliance}")
    _exchange(here, peers, joined)
    _write_record(here, me, name, file, joined, {})
    return joined


def _draft(here: _Ceremony, before: Charter, after: Charter, joined: Joined) -> CharterFile:
    verify_shape(before, after)
    fatal = next((one for one in lint(after) if one.fatal), None)
    if fatal is not None:
        name = joined.newcomer
        raise CannotJoin(
            f"with {name} the charter cannot work: {fatal.what}",
            f"{fatal.hint}; watchword charter propose {here.folder}/{name}.enrolment.json --quorum NAME=N "
            f"--output {here.folder}/{name}.charter.json drafts one that changes this too",
        )
    return _ratify(here, CharterFile(after, ()), joined)


def _ratify(here: _Ceremony, file: CharterFile, joined: Joined) -> CharterFile:
    """Sign with this home's root; put the signature in the folder, and the charter where none lies there."""
    me, envelope = ratify(here.home, file.charter, here.clock, here.passphrase, root=here.root)
    named = me if here.root == "root" else f"{me}.{here.root}"
    at = here.folder / f"{joined.newcomer}.charter.json"
    if not at.exists():
        write_whole(at, CharterFile(file.charter, ()).encode() + b"\n")
    write_whole(here.folder / f"{named}.ratification.json", envelope + b"\n")
    joined.done.append(f"{named} ratified charter {file.charter.version}, which lists {joined.newcomer}")
    return CharterFile(file.charter, tuple(sorted({*file.ratifications, envelope})))


def _only_the_newcomer(before: Charter, after: Charter, value: dict[str, Any]) -> None:
    """Check that *after* is *before* with this newcomer, and nothing else. Raises CannotJoin."""
    alike = successor(before, [value], [], made=after.value["made"], effective=after.effective)
    if canonical(alike) != canonical(after.value):
        raise CannotJoin(
            f"charter {after.version}, as it lies in the folder, is not charter {before.version} with {value['name']} "
            f"as heard, and nothing else",
            "read it with watchword charter diff; who agrees to all of it ratifies it: watchword charter ratify",
        )


def _enrolment_of_newcomer(here: _Ceremony, charter: Charter) -> tuple[str, dict[str, Any], bytes]:
    found = []
    for path in _files(here.folder, ".enrolment.json"):
        data = durable.read(path, CHARTER_BYTES_MAX) or b""
        try:
            value = parse_canonical(data.removesuffix(b"\n"), str(path), CHARTER_BYTES_MAX)
        except NotCanonical as error:
            raise CannotJoin(error.message, "it was changed on the way") from error
        if not isinstance(value, dict) or path.name != f"{value.get('name')}.enrolment.json":
            raise CannotJoin(f"{path}: not the enrolment of whom its name says")
        if not value.keys() <= _FIELDS:
            raise CannotJoin(f"{path}: says more than a newcomer can", "watchword init NAME makes one")
        found.append((str(value["name"]), value, data))
    if len(found) != 1:
        count = "no enrolment" if not found else f"{len(found)} enrolments"
        raise CannotJoin(f"{here.folder}: {count} here", "one folder for each newcomer, who puts its own in it")
    return found[0]


def _described(member: Member) -> str:
    people = [f"{key.person} ({', '.join(key.roles)})" for key in member.keys if key.person is not None]
    return (
        f"{member.name} asks to join, operated by {member.operator}; ledger {member.origins['ledger']}; "
        f"people {', '.join(people)}"
    )


# -- what both do -----------------------------------------------------------------------------------------------


def _proposal(here: _Ceremony, name: str) -> CharterFile | None:
    """The charter in the folder with every ratification of it that lies beside it."""
    path = here.folder / f"{name}.charter.json"
    data = durable.read(path, CHARTER_BYTES_MAX)
    if data is None:
        return None
    file = parse_charter_file(data, str(path))
    if name not in {one.name for one in file.charter.members}:
        raise CannotJoin(f"{path}: does not list {name}")
    given = set(file.ratifications)
    for beside in _files(here.folder, ".ratification.json"):
        envelope = (durable.read(beside, ENVELOPE_BYTES_MAX) or b"").removesuffix(b"\n")
        try:
            ratified_by(CharterFile(file.charter, (envelope,)))
        except NotInForce:
            continue  # of another charter, or of nobody here: it adds nothing, and must not stop the others
        given.add(envelope)
    return CharterFile(file.charter, tuple(sorted(given)))


def _files(folder: Path, suffix: str) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and not path.name.startswith("."))
    if len(found) > CEREMONY_FILES_MAX:
        raise CannotJoin(f"{folder}: {len(found):,} files of one sort", f"at most {CEREMONY_FILES_MAX}")
    return found


def _ratifying(before: Charter, file: CharterFile) -> set[str]:
    """Members of *before* a root key of which signed."""
    keys = (open_envelope(envelope).key_id for envelope in file.ratifications)
    return {before.holders[key].owner for key in keys if key in before.holders}


def _others(charter: Charter, name: str) -> set[str]:
    return {one.operator for one in charter.members} - {charter.member(name).operator}


def _voices(here: _Ceremony, charter: Charter, name: str, heard: Heard | None) -> list[dict[str, str]]:
    """Who read the digits of this very charter, what is heard now included."""
    if heard is not None:
        if not heard.by:
            raise CannotJoin("who read these digits?", "say it: --from MEMBER")
        if charter.member(heard.by).operator not in _others(charter, name):
            raise CannotJoin(f"{heard.by} is operated by whom {name} is", "hear it from another operator's member")
        _compare(heard, spoken(charter.digest), f"charter {charter.version} of {charter.alliance}")
        _note(here, heard.by, charter.digest)
    members = {one.name for one in charter.members}
    said = {one["by"]: one for one in _noted(here.home) if one["of"] == charter.digest and one["by"] in members}
    return list(said.values())


def _compare(heard: Heard, digits: str, what: str) -> None:
    """Check what was typed against *digits*. The right ones are not told: they are to come from the other side."""
    typed = "".join(heard.digits.split())
    if typed == digits.replace(" ", ""):
        return
    groups = digits.split()
    width = len(groups[0])
    wrong = next((n for n, group in enumerate(groups) if typed[n * width : (n + 1) * width] != group), len(groups))
    raise WrongDigits(
        f"{what}: these are not its digits, from group {wrong + 1} on",
        "hear them once more, at a number that you had before; if they differ again, somebody stands between you: stop",
    )


def _noted(home: Path) -> list[dict[str, str]]:
    data = durable.read(home / HEARD, CHARTER_BYTES_MAX)
    if data is None:
        return []
    value = parse_canonical(data.removesuffix(b"\n"), str(home / HEARD), CHARTER_BYTES_MAX)
    if not isinstance(value, dict) or value.get("format") != _HEARD_FORMAT:
        raise CannotJoin(f"{home / HEARD}: not of a form that this version knows", "a newer watchword wrote it")
    noted: list[dict[str, str]] = value["heard"]
    return noted


def _note(here: _Ceremony, by: str, of: str) -> dict[str, str]:
    """Keep in this home that *by* read the right digits of what has the digest *of*; an interruption loses nothing."""
    one = {"at": rfc3339(here.clock.now()), "by": by, "of": of}
    kept = [other for other in _noted(here.home) if (other["by"], other["of"]) != (by, of)]
    value = {"format": _HEARD_FORMAT, "heard": [*kept, one][-CEREMONY_FILES_MAX:]}
    with durable.translated(here.home):
        durable.make_folder(here.home / "staging", 0o700)
        durable.replace(here.home / HEARD, canonical(value) + b"\n", here.home / "staging", 0o600)
    return one


def _exchange(here: _Ceremony, peers: Mapping[str, str], joined: Joined) -> None:
    with Node.open(here.home, clock=here.clock, passphrase=here.passphrase, writing=True) as node:
        node.anchor_record()
        imported, written = node.exchange(here.folder)
        joined.done += [one.told() for one in imported]
        joined.done.append(f"wrote {len(written)} files to {here.folder}")
        if peers:
            joined.done += [one.told() for one in ask_witnesses(node, peers)]
            joined.done += [one.told() for one in sync(node, peers)]


def _write_record(
    here: _Ceremony, me: str, name: str, file: CharterFile, joined: Joined, heads: Mapping[str, Any]
) -> None:
    """What *me* can say of the ceremony, for the record: who, when, which keys, and the signed ratifications by id."""
    charter = file.charter
    value = next(one for one in charter.value["members"] if one["name"] == name)
    signed = [open_envelope(envelope) for envelope in file.ratifications]
    wanted = {charter.digest, D(canonical(value) + b"\n")}
    joined.record = {
        "alliance": charter.alliance,
        "by": me,
        "charter": charter.digest,
        "digits": {"charter": spoken(charter.digest), "enrolment": spoken(D(canonical(value) + b"\n"))},
        "format": _RECORD_FORMAT,
        "heads": dict(heads),
        "heard": [one for one in _noted(here.home) if one["of"] in wanted],
        "keys": [{n: key[n] for n in ("id", "job", "person", "roles") if n in key} for key in value["keys"]],
        "newcomer": name,
        "operator": value["operator"],
        "ratified": sorted(
            ({"by": one.statement.issuer, "id": one.statement.id, "key": one.key_id,
              "made": rfc3339(one.statement.made)} for one in signed),
            key=lambda one: (one["made"], one["id"]),
        ),
        "version": charter.version,
        "written": rfc3339(here.clock.now()),
    }  # fmt: skip
    at = here.folder / f"{name}.{me}.ceremony.json"
    write_whole(at, canonical(joined.record) + b"\n")
    joined.done.append(f"wrote {at}, for the record")
