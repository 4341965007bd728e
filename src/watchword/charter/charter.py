"""A charter as a value: members, suppliers, keys, standing, quorums, requirements and red lines.

Follows docs/protocol.md, section 7. A charter object has exactly the fields named there; names, key ids, origins
and witness names are unique; each member holds one key of each job and one or more of ``people``.

* What was said under earlier charters stays said: a key that is **retired** speaks for what stands below a size, a
  ledger that is **closed** ends at a size and root, a **former** member keeps its name, operator and retired keys.

* Parsing says that a charter is well formed. ``lint`` says whether it can work. ``in_force`` says whether enough
  members ratified it. The three are apart because a person drafts in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from watchword.errors import WatchwordError
from watchword.limits import CHARTER_BYTES_MAX, PASSKEYS_MAX
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import DJ, b64, unb64
from watchword.statements.keys import KeyTrouble, PublicKey, parse_public
from watchword.statements.kinds import Base64, Count, Digest, Strict, Text, Time
from watchword.statements.kinds import Condition as Condition
from watchword.statements.passkeys import BadPasskey, Passkey, parse_passkey
from watchword.statements.times import parse_time

FORMAT = "watchword-charter/1"
FILE_FORMAT = "watchword-charter-file/1"
SINGLE_JOBS = ("root", "ledger", "witness", "gate")
HEAD_JOBS = frozenset({"ledger", "witness"})
RESERVED_ROLES = frozenset({"root", "supplier", "gate"})
"""Words that ``standing`` uses for jobs: a person's role of that name would pass for the job."""


class BadCharter(WatchwordError):
    """A charter file or object that is not of the form section 7 states."""


class When(Strict, frozen=True, kw_only=True):
    """What a requirement is for: uses of at least this criticality with, unless empty, one of these human roles; and,
    where it says so, only releases of ``files``, or only those that are an ``endpoint``."""

    criticality: Count
    human: list[Text]
    release: Literal["files", "endpoint"] | msgspec.UnsetType = msgspec.UNSET


class WaivedBy(Strict, frozen=True, kw_only=True):
    """Whose waivers lift a requirement: ``count`` distinct operators, each by a person of ``role``."""

    count: Count
    role: Text


class Requirement(Strict, frozen=True, kw_only=True):
    """A row of the requirement table (section 8). ``serves``: norm entries by pinned id; ``waiver`` None: never."""

    id: Text
    text: Text
    kind: Text
    count: Count
    from_: Text = msgspec.field(name="from")
    distinct: Text
    where: list[Condition]
    tools: Count
    max_age_days: Count | None
    bound: list[Condition]
    when: When
    owed_by: Text
    accountable: Text
    principle: list[Text]
    serves: list[Text]
    waiver: WaivedBy | None


class Finding(Strict, frozen=True, kw_only=True):
    """What evidence crosses a red line: one considered statement of ``kind`` for which all of ``where`` holds."""

    kind: Text
    where: list[Condition]


class RedLine(Strict, frozen=True, kw_only=True):
    """What no waiver lifts: crossed when all of ``forbid`` hold and ``evidence``, unless None, is there."""

    id: Text
    text: Text
    forbid: list[Condition]
    evidence: Finding | None
    accountable: Text
    principle: list[Text]
    serves: list[Text]


class Quorum(Strict, frozen=True, kw_only=True):
    """``ratify`` members put a charter in force; ``witness`` operators cosign a head; ``faulty`` may be dishonest."""

    faulty: Count
    ratify: Count
    witness: Count


class _Origins(Strict, frozen=True, kw_only=True):
    ledger: Text
    notices: Text
    record: Text


class _Size(Strict, frozen=True, kw_only=True):
    origin: Text
    size: Count


class _Retired(Strict, frozen=True, kw_only=True):
    version: Count
    sizes: list[_Size]


class _Passkey(Strict, frozen=True, kw_only=True):
    alg: int
    id: Base64
    key: Base64
    origin: Text | None


class _Key(Strict, frozen=True, kw_only=True):
    ed25519: Text
    id: Digest
    job: Text
    mldsa: Text
    person: Text | None = None
    roles: list[Text] | None = None
    passkeys: Annotated[list[_Passkey], msgspec.Meta(min_length=1, max_length=PASSKEYS_MAX)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    retired: _Retired | msgspec.UnsetType = msgspec.UNSET


class _Member(Strict, frozen=True, kw_only=True):
    name: Text
    operator: Text
    origins: _Origins
    witness: Text
    keys: list[_Key]
    root_threshold: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


class _Former(Strict, frozen=True, kw_only=True):
    name: Text
    operator: Text
    keys: list[_Key]
    root_threshold: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


class _Supplier(Strict, frozen=True, kw_only=True):
    name: Text
    contact: Text
    keys: list[_Key]


class _Closed(Strict, frozen=True, kw_only=True):
    origin: Text
    member: Text
    use: Literal["ledger", "notices", "record"]
    key: Digest
    size: Count
    root: Base64


class Amendment(Strict, frozen=True, kw_only=True):
    """What a change of the rules themselves takes: ``ratify`` operators, each ``delay_s`` before it is in force."""

    delay_s: Count
    ratify: Count


class _Charter(Strict, frozen=True, kw_only=True):
    alliance: Text
    format: Text
    made: Time
    effective: Time
    parent: Digest | None
    version: Count
    suite: Count
    secret: Digest
    quorum: Quorum
    amendment: Amendment
    head_max_age_s: Count
    members: list[_Member]
    former: list[_Former]
    closed: list[_Closed]
    suppliers: list[_Supplier]
    standing: dict[str, list[Text]]
    requirements: list[Requirement]
    red_lines: list[RedLine]


@dataclass(frozen=True)
class KeyHolder:
    """Whose key it is and what it is for. ``operator`` of a supplier is ``supplier:<NAME>``.

    ``retired_by``: the version of the charter that retired it; it speaks for what stands below ``sizes``, by origin.
    ``passkeys``: the devices by which this person may answer a gate instead; they live and fall with the key.
    """

    owner: str
    operator: str
    job: str
    person: str | None
    roles: tuple[str, ...]
    public: PublicKey = field(repr=False)
    retired_by: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    passkeys: tuple[Passkey, ...] = field(default=(), repr=False)

    @property
    def is_supplier(self) -> bool:
        return self.job == "supplier"

    def reaches(self, origin: str | None, index: int | None) -> bool:
        """Whether what this key signed counts at that place (None: from no ledger)."""
        return self.retired_by is None or (index is not None and index < self.sizes.get(origin or "", 0))


@dataclass(frozen=True)
class Member:
    """A party of the alliance: its operator, its three origins by use, its witness name, its keys; ``root_threshold``:
    how many of its root keys it takes to speak for it."""

    name: str
    operator: str
    origins: dict[str, str]
    witness: str
    keys: tuple[KeyHolder, ...]
    root_threshold: int

    def key(self, job: str) -> PublicKey:
        """The member's one key of *job* (``ledger``, ``witness`` or ``gate``), or the first of its root keys."""
        return next(one.public for one in self.keys if one.job == job and one.retired_by is None)


@dataclass(frozen=True)
class Supplier:
    """Who delivers systems and answers for claims about them."""

    name: str
    contact: str
    keys: tuple[KeyHolder, ...]


@dataclass(frozen=True)
class End:
    """Where a closed ledger ends: nothing past ``size`` is of it."""

    size: int
    root: bytes


@dataclass(frozen=True)
class OriginOf:
    """Whose ledger an origin is, what it is used for, the key that signs its heads; ``end`` where it is closed."""

    member: Member
    use: str
    key: PublicKey
    end: End | None = None


@dataclass(frozen=True)
class Charter:
    """One charter version. ``value`` is its canonical object; ``digest`` names it."""

    value: dict[str, Any] = field(repr=False)
    alliance: str
    version: int
    parent: str | None
    effective: str
    secret: str
    quorum: Quorum
    amendment: Amendment
    head_max_age_s: int
    members: tuple[Member, ...]
    former: tuple[Member, ...]
    suppliers: tuple[Supplier, ...]
    standing: dict[str, tuple[str, ...]]
    requirements: tuple[Requirement, ...]
    red_lines: tuple[RedLine, ...]

    @cached_property
    def digest(self) -> str:
        """The digest that ratifications, bundles and decisions name."""
        return DJ(self.value)

    @cached_property
    def operators(self) -> frozenset[str]:
        """The distinct operators of keys and machines; quorums count these."""
        return frozenset(member.operator for member in self.members)

    @cached_property
    def holders(self) -> dict[str, KeyHolder]:
        """Every key of the charter by its id."""
        parties: list[Member | Supplier] = [*self.members, *self.former, *self.suppliers]
        return {holder.public.id: holder for party in parties for holder in party.keys}

    @cached_property
    def origins(self) -> dict[str, OriginOf]:
        """Every ledger of the alliance by its origin, closed ones too."""
        found = {
            origin: OriginOf(member, use, member.key("ledger"))
            for member in self.members
            for use, origin in member.origins.items()
        }
        owners = {member.name: member for member in (*self.members, *self.former)}
        for one in self.value["closed"]:
            end = End(one["size"], unb64(one["root"], "root"))
            key = self.holders[one["key"]].public
            found[one["origin"]] = OriginOf(owners[one["member"]], one["use"], key, end)
        return found

    @cached_property
    def shared_origins(self) -> tuple[str, ...]:
        """The origins of all open ``ledger`` and ``notices`` ledgers, sorted: what a view is of."""
        return tuple(sorted(o for o, of in self.origins.items() if of.use != "record" and of.end is None))

    @cached_property
    def closed_origins(self) -> tuple[str, ...]:
        """The origins of all closed ``ledger`` and ``notices`` ledgers, sorted: what every decision sees besides."""
        return tuple(sorted(o for o, of in self.origins.items() if of.use != "record" and of.end is not None))

    @cached_property
    def known_origins(self) -> tuple[str, ...]:
        """The origins of all shared ledgers, open and closed: what a node mirrors."""
        return (*self.shared_origins, *self.closed_origins)

    @cached_property
    def witness_keys(self) -> dict[str, PublicKey]:
        """The witness keys by witness name."""
        return {member.witness: member.key("witness") for member in self.members}

    @cached_property
    def witness_operators(self) -> dict[str, str]:
        """Who operates each witness."""
        return {member.witness: member.operator for member in self.members}

    def member(self, name: str) -> Member:
        """The member called *name*.

        Raises:
            BadCharter: no such member.
        """
        for member in self.members:
            if member.name == name:
                return member
        known = ", ".join(member.name for member in self.members)
        raise BadCharter(f"{name}: not a member of {self.alliance}", f"members: {known}")

    def root_threshold(self, name: str) -> int:
        """How many root keys speak for a member or former member."""
        return next((m.root_threshold for m in (*self.members, *self.former) if m.name == name), 1)


@dataclass(frozen=True)
class CharterFile:
    """A charter with the ratifications that came with it (canonical envelopes, not yet verified)."""

    charter: Charter
    ratifications: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The file's canonical bytes."""
        envelopes = [msgspec.json.decode(envelope) for envelope in self.ratifications]
        return canonical({"charter": self.charter.value, "format": FILE_FORMAT, "ratifications": envelopes})


def parse_charter(value: Any) -> Charter:
    """Read a charter object.

    Raises:
        BadCharter: a field missing, unknown or of another type, a name twice, a key job missing. Names which.
    """
    try:
        raw = msgspec.convert(value, _Charter, strict=True)
    except msgspec.ValidationError as error:
        raise BadCharter(f"charter: {error}") from error
    if raw.format != FORMAT:
        raise BadCharter(f"charter: format {raw.format[:40]!r}, expected {FORMAT!r}", "a newer watchword wrote it")
    parse_time(raw.made)
    parse_time(raw.effective)
    if raw.suite != 1:
        raise BadCharter(f"charter: suite {raw.suite} is not known here", "a newer watchword can decide on it")
    members = tuple(_member(one) for one in raw.members)
    former = tuple(_former(one) for one in raw.former)
    suppliers = tuple(_supplier(one) for one in raw.suppliers)
    _refuse_repeats("name", [m.name for m in (*members, *former)] + [s.name for s in suppliers])
    names = [o for m in members for o in (*m.origins.values(), m.witness)] + [one.origin for one in raw.closed]
    _refuse_repeats("origin or witness name", names)
    holders = [key for member in (*members, *former) for key in member.keys]
    holders += [key for s in suppliers for key in s.keys]
    _refuse_repeats("key", [holder.public.id for holder in holders])
    halves = [half for holder in holders for half in (holder.public.ed25519.hex(), holder.public.mldsa.hex())]
    _refuse_repeats("half of a key", halves)
    # A retired key keeps those that it had; the key that takes its place may have them too.
    devices = [(b64(one.id), b64(one.key)) for now in holders if now.retired_by is None for one in now.passkeys]
    for place, what in enumerate(("id of a passkey", "key of a passkey")):
        _refuse_repeats(what, [one[place] for one in devices])
    _check_past(raw, {holder.public.id: holder for holder in holders})
    _refuse_repeats("requirement or red line", [r.id for r in raw.requirements] + [r.id for r in raw.red_lines])
    return Charter(
        value, raw.alliance, raw.version, raw.parent, raw.effective, raw.secret, raw.quorum, raw.amendment,
        raw.head_max_age_s, members, former, suppliers,
        {kind: tuple(who) for kind, who in raw.standing.items()}, tuple(raw.requirements), tuple(raw.red_lines),
    )  # fmt: skip


def parse_charter_file(data: bytes, what: str = "charter") -> CharterFile:
    """Read the bytes of a charter file.

    Raises:
        BadCharter, NotCanonical: not a charter file; names *what*.
    """
    value = parse_canonical(data, what, CHARTER_BYTES_MAX)
    if not isinstance(value, dict) or set(value) != {"charter", "format", "ratifications"}:
        raise BadCharter(f"{what}: not a charter file", "make one with: watchword charter draft")
    if value["format"] != FILE_FORMAT or not isinstance(value["ratifications"], list):
        raise BadCharter(f"{what}: format is {str(value['format'])[:40]!r}, this version reads {FILE_FORMAT!r}")
    return CharterFile(parse_charter(value["charter"]), tuple(canonical(one) for one in value["ratifications"]))


def read_charter_file(path: Path) -> CharterFile:
    """Read a charter file from disk.

    Raises:
        BadCharter, NotCanonical: missing, too large, or not a charter file; names *path*.
    """
    try:
        if path.stat().st_size > CHARTER_BYTES_MAX:
            raise BadCharter(f"{path}: larger than {CHARTER_BYTES_MAX:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise BadCharter(f"{path}: {error.strerror}", "name the charter file that your alliance ratified") from error
    return parse_charter_file(data, str(path))


def _member(raw: _Member) -> Member:
    keys = tuple(_holder(key, raw.name, raw.operator) for key in raw.keys)
    now = [holder for holder in keys if holder.retired_by is None]
    roots = sum(holder.job == "root" for holder in now)
    for job in SINGLE_JOBS:
        if sum(holder.job == job for holder in now) != 1 and (job != "root" or not roots):
            raise BadCharter(f"charter: {raw.name} has not exactly one {job} key")
    threshold = 1 if isinstance(raw.root_threshold, msgspec.UnsetType) else raw.root_threshold
    if (roots > 1) == isinstance(raw.root_threshold, msgspec.UnsetType) or threshold > roots:
        raise BadCharter(f"charter: {raw.name}: root_threshold is for more than one root key, and at most their number")
    if not any(holder.job == "people" for holder in now):
        raise BadCharter(f"charter: {raw.name} names no person's key")
    for holder in keys:
        if holder.job not in (*SINGLE_JOBS, "people"):
            raise BadCharter(f"charter: {raw.name} has a key for the job {holder.job[:40]!r}, which no member has")
    origins = {"ledger": raw.origins.ledger, "notices": raw.origins.notices, "record": raw.origins.record}
    return Member(raw.name, raw.operator, origins, raw.witness, keys, threshold)


def _former(raw: _Former) -> Member:
    keys = tuple(_holder(key, raw.name, raw.operator) for key in raw.keys)
    if not keys or any(holder.retired_by is None or holder.job == "supplier" for holder in keys):
        raise BadCharter(f"charter: {raw.name}, a former member, has keys, and all of them are retired")
    threshold = 1 if isinstance(raw.root_threshold, msgspec.UnsetType) else raw.root_threshold
    return Member(raw.name, raw.operator, {}, "", keys, threshold)


def _check_past(raw: _Charter, holders: Mapping[str, KeyHolder]) -> None:
    """Closed ledgers have an owner and its retired key; retired keys name ledgers of this charter."""
    owners = {one.name for one in raw.members} | {one.name for one in raw.former}
    for one in raw.closed:
        holder = holders.get(one.key)
        own = holder is not None and (holder.owner, holder.job) == (one.member, "ledger")
        if one.member not in owners or holder is None or not own or holder.retired_by is None:
            raise BadCharter(f"charter: {one.origin} is closed, and its key is no retired ledger key of {one.member}")
        if len(unb64(one.root, "root")) != 32:
            raise BadCharter(f"charter: {one.origin} is closed at a root that is not 32 bytes")
    known = {origin for m in raw.members for origin in (m.origins.ledger, m.origins.notices, m.origins.record)}
    known |= {one.origin for one in raw.closed}
    for holder in holders.values():
        if not known.issuperset(holder.sizes):
            raise BadCharter(f"charter: a retired key of {holder.owner} reaches into no ledger of this charter")
        if holder.retired_by is not None and not 1 < holder.retired_by <= raw.version:
            raise BadCharter(f"charter: a key of {holder.owner} was retired by charter {holder.retired_by}")


def _supplier(raw: _Supplier) -> Supplier:
    keys = tuple(_holder(key, raw.name, f"supplier:{raw.name}") for key in raw.keys)
    if not keys or any(holder.job != "supplier" for holder in keys):
        raise BadCharter(f"charter: supplier {raw.name} has keys of the job supplier, at least one, and no other")
    return Supplier(raw.name, raw.contact, keys)


def _holder(raw: _Key, owner: str, operator: str) -> KeyHolder:
    if (raw.job == "people") != (raw.person is not None and raw.roles is not None):
        raise BadCharter(f"charter: {owner}: person and roles belong to a key of the job people, and to no other")
    if RESERVED_ROLES.intersection(raw.roles or ()):
        raise BadCharter(f"charter: {owner}: no role is called {' or '.join(sorted(RESERVED_ROLES))}")
    try:
        public = parse_public({"ed25519": raw.ed25519, "id": raw.id, "mldsa": raw.mldsa})
    except KeyTrouble as error:
        raise BadCharter(f"charter: {owner}, {raw.job} key: {error.message}", error.hint) from error
    if (public.level == 44) != (raw.job in HEAD_JOBS):
        raise BadCharter(f"charter: {owner}: a {raw.job} key is not of ML-DSA level {public.level}")
    passkeys = _passkeys(raw, owner)
    if isinstance(raw.retired, msgspec.UnsetType):
        return KeyHolder(owner, operator, raw.job, raw.person, tuple(raw.roles or ()), public, passkeys=passkeys)
    _refuse_repeats(f"origin of a retired key of {owner}", [one.origin for one in raw.retired.sizes])
    sizes = {one.origin: one.size for one in raw.retired.sizes}
    return KeyHolder(
        owner, operator, raw.job, raw.person, tuple(raw.roles or ()), public, raw.retired.version, sizes, passkeys
    )


def _passkeys(raw: _Key, owner: str) -> tuple[Passkey, ...]:
    if isinstance(raw.passkeys, msgspec.UnsetType):
        return ()
    if raw.job != "people":
        raise BadCharter(f"charter: {owner}: a {raw.job} key has no passkeys, only people have")
    try:
        return tuple(parse_passkey(msgspec.to_builtins(one)) for one in raw.passkeys)
    except BadPasskey as error:
        raise BadCharter(f"charter: {owner}, {raw.person}: {error.message}", error.hint) from error


def _refuse_repeats(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadCharter(f"charter: the {what} {name[:100]} stands twice")
        seen.add(name)
