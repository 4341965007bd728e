"""Exchange by file: write what another member has not yet; take in what it wrote, whole or not at all; cosign.

Follows docs/protocol.md, section 10 (exchange). What may leave and what may be taken is decided in ``ledger.exchange``.

An import, in this order; until the last check of 1 to 5 has passed, nothing is written:

1. The bundle parses, is for this member, under this charter, from another member.
2. Heads: signed by their owners; every line of a known key verifies.
3. Leaves: of the one form that their ledger holds, and leading to the head through what is held here.
4. Bodies: those that a leaf or a named attachment commits to, and whose scope allows this member. Others are left.
5. Loose notices and stops: standing.
6. Written: bodies, then loose notices, then mirrors and heads, then what the sender holds. A kill in between leaves
   a node that opens, and the same import again finishes it.
7. Every head that extends what this witness cosigned before is cosigned; a fork that convicts is stated.

A ledger that contradicts what is held here is refused alone: both signed heads are kept, and the rest is taken in.
A fork must not cut honest members off from each other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.ledger import durable, leaves
from watchword.ledger.bundle import Body, Bundle, Earlier, LedgerPart, encode, parse_bundle
from watchword.ledger.checkpoint import Checkpoint, SplitView
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.exchange import (
    KeptHead,
    attachments,
    bare,
    check_part,
    missing_value,
    parse_missing,
    scope_allows,
)
from watchword.ledger.log import Log
from watchword.ledger.merkle import EMPTY_ROOT, Frontier, frontier_at
from watchword.ledger.tiles import TileReader
from watchword.limits import BUNDLE_BODIES_BYTES_MAX, BUNDLE_BYTES_MAX, UNREAD_KINDS_TOLD_MAX
from watchword.node.accusing import accuse
from watchword.node.cases import cases_for, keep_cases
from watchword.node.node import Node
from watchword.node.recorded import NotHere
from watchword.node.renewing import begin_if_superseded
from watchword.node.spilling import honour
from watchword.node.store import Peer, Store
from watchword.statements.kinds import ANY_CHANNEL, KINDS, NOTICES
from watchword.statements.statement import Signed, open_envelope
from watchword.statements.times import rfc3339

SUFFIX = ".wwx.json"


class BadExchange(WatchwordError):
    """A file that is not an exchange for this member under its charter, or holds something that does not count."""


@dataclass(frozen=True)
class Extended:
    """A ledger that an import took further."""

    origin: str
    old: int
    new: int


@dataclass(frozen=True)
class Fork:
    """A ledger that an import refused: two signed heads that cannot both be true, both kept in ``folder``."""

    origin: str
    message: str
    folder: Path


@dataclass(frozen=True)
class Imported:
    """What an import did. ``left``: bodies that no leaf here commits to, or whose scope does not allow this member.

    ``skipped``: ledgers of which the file begins past what is held here, with the reason. ``unread``: the kinds of
    loose notices that this version does not know; they count once they are filed, as what cannot be read.
    """

    path: Path
    sender: str
    ledgers: tuple[Extended, ...]
    bodies: int
    left: int
    loose: tuple[Signed, ...]
    cosigned: int
    forks: tuple[Fork, ...]
    skipped: tuple[tuple[str, str], ...]
    unread: tuple[str, ...] = ()

    def told(self) -> str:
        """One line for people; forks first, because they convict."""
        leaves_new = sum(one.new - one.old for one in self.ledgers)
        parts = [f"FORK of {fork.origin}: both signed heads kept in {fork.folder}" for fork in self.forks]
        parts.append(
            f"from {self.sender}: {leaves_new} new leaves in {len(self.ledgers)} ledgers, {self.bodies} bodies"
        )
        if self.loose:
            parts.append(f"{len(self.loose)} loose notices, which count from now on")
        parts.append(f"{self.cosigned} heads cosigned")
        parts += [f"skipped {origin}: {why}" for origin, why in self.skipped]
        parts += [f"left a loose {kind[:80]}, which needs a newer watchword than {__version__}" for kind in self.unread]
        return "; ".join(parts)

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "bodies": self.bodies,
            "cosigned": self.cosigned,
            "forks": [{"kept": str(f.folder), "message": f.message, "origin": f.origin} for f in self.forks],
            "from": self.sender,
            "ledgers": [{"new": one.new, "old": one.old, "origin": one.origin} for one in self.ledgers],
            "left": self.left,
            "loose": [signed.statement.id for signed in self.loose],
            "path": str(self.path),
            "skipped": [{"origin": origin, "why": why} for origin, why in self.skipped],
            "unread": list(self.unread),
        }


# -- export ---------------------------------------------------------------------------------------


def export(
    node: Node, to: str | None, path: Path, *, since: Mapping[str, int] | None = None, one_way: bool = False
) -> Bundle:
    """Write to *path* what *to* has not yet: heads with all cosignatures, leaves, bodies in scope, loose notices.

    Own heads are published and cosigned first. Bodies beyond BUNDLE_BODIES_BYTES_MAX follow with the next file.

    Args:
        to: a member; None for anybody (only bodies of public scope).
        since: sizes by origin that *to* holds, where that is known better than by its last file.
        one_way: no file will ever come back, so what is written counts as held; *to* may be this member itself, whose
            receiving home stands behind a data diode.

    Raises:
        BadCharter: no such member.
        NotHere: *to* is this member itself, or this home only receives.
    """
    if to is not None and node.charter.member(to).name == node.member and not one_way:
        raise NotHere(f"{to} is this node", "export to another member, or --one-way to a receiving home of this one")
    node.must_sign()
    if node.writing:
        node.publish()
    store = node.store
    peer = Peer({}, {}) if to is None else store.peer(to)
    peer = peer if since is None else Peer(dict(since), {})
    parts = [part for origin in node.charter.known_origins if (part := _part(store, origin, peer)) is not None]
    missing = missing_value(store.missing())
    bodies = tuple(_bodies_for(store, to, parts, peer))
    bundle = Bundle(
        purpose="exchange",
        charter=node.charter.digest,
        sender=node.member,
        to=to,
        made=rfc3339(node.clock.now()),
        ledgers=tuple(parts),
        bodies=bodies,
        loose=tuple(signed.envelope for signed in loose_for(node, to)),
        objects=(*((missing,) if missing["ledgers"] else ()), *cases_for(store, bodies)),
    )
    data = encode(bundle) + b"\n"
    if len(data) > BUNDLE_BYTES_MAX:
        raise BadExchange(f"{path}: would have {len(data):,} bytes, a bundle has at most {BUNDLE_BYTES_MAX:,}")
    write_whole(path, data)
    if one_way and to is not None:
        store.set_peer(to, Peer(_sizes(bundle), {}))
    return bundle


def sizes_in(path: Path) -> dict[str, int]:
    """The sizes up to which an earlier exchange file reached, by origin.

    Raises:
        BadBundle, BadExchange: not such a file, or not there.
    """
    bundle = parse_bundle(_read(path), str(path))
    if bundle.purpose != "exchange":
        raise BadExchange(f"{path}: not an exchange file", "name the file that was sent last")
    return _sizes(bundle)


def _sizes(bundle: Bundle) -> dict[str, int]:
    return {part.origin: part.start + len(part.entries) for part in bundle.ledgers}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BUNDLE_BYTES_MAX + 1)
    except OSError as error:
        raise BadExchange(f"{path}: {error.strerror}") from error


def _part(store: Store, origin: str, peer: Peer) -> LedgerPart | None:
    """What the other has not yet of one ledger: entries from the size it was last seen to hold."""
    log = store.log(origin)
    note = None if log is None else log.checkpoint()
    if log is None or note is None:
        return None
    size = log.published_size
    heads = store.kept_heads(origin)
    newest = next((head.note for head in heads if head.checkpoint.size == size), note)
    earlier = tuple(
        Earlier(head.note, tuple(log.consistency(head.checkpoint.size, size)))
        for head in heads
        if head.checkpoint.size < size
    )
    start = min(peer.sizes.get(origin, 0), size)
    return LedgerPart(origin, newest, earlier, start, tuple(log.entries(start, size)))


def _bodies_for(store: Store, to: str | None, parts: Iterable[LedgerPart], peer: Peer) -> list[Body]:
    """The bodies in scope for *to* of the leaves it has not, and of those it said it lacks, with their attachments."""
    budget = BUNDLE_BODIES_BYTES_MAX
    found: dict[bytes, Body] = {}
    names: Named | None = None
    for part in parts:
        of = store.leaves(part.origin)
        size = part.start + len(part.entries)
        asked = [range(a, min(b, part.start)) for a, b in peer.missing.get(part.origin, ())]
        for index in (i for span in (*asked, range(part.start, size)) for i in span):
            held = store.held(of[index].commitment)
            if held is None or not scope_allows(held.signed, to) or budget < 0:
                continue
            wanted = [("envelope", of[index].commitment)]
            if held.holder is not None:
                names = names or Named(store)
                wanted += [("content", one) for one in attachments(held.signed) if names.allow(one, to)]
            for sort, commitment in wanted:
                stored = store.bodies.get(commitment) if commitment not in found else None
                if stored is not None:
                    body = Body("envelope" if sort == "envelope" else "content", *stored)
                    found[commitment] = body
                    budget -= len(body.data)
    return list(found.values())


class Named:
    """Which statements name an attachment. It leaves only where all of them allow, and only if it is no leaf's body:
    otherwise a stranger could name somebody's commitment in a public statement and be sent what it hides."""

    def __init__(self, store: Store) -> None:
        self._by: dict[bytes, list[Signed]] = {}
        self._of_leaves = store.commitments()
        for _, _, held in store.statements():
            for commitment in attachments(held.signed):
                self._by.setdefault(commitment, []).append(held.signed)

    def allow(self, commitment: bytes, to: str | None) -> bool:
        naming = self._by.get(commitment, [])
        return commitment not in self._of_leaves and bool(naming) and all(scope_allows(one, to) for one in naming)


def loose_for(node: Node, to: str | None) -> list[Signed]:
    """Bad news in scope for *to* that no cosigned ledger carries to it yet."""
    store = node.store
    loose = [held.signed for held in store.loose_held() if scope_allows(held.signed, to)]
    uses = {"notices" if one.statement.kind in NOTICES else "ledger" for one in loose}
    carried: set[str] = set()
    for origin, head in store.view().heads.items():
        if store.use(origin) in uses:
            held_there = (store.held(leaf.commitment) for leaf in store.leaves(origin)[: head.size])
            carried |= {held.signed.statement.id for held in held_there if held is not None}
    return [one for one in loose if one.statement.id not in carried]


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place whole: whoever watches the folder sees the old one or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with durable.translated(path):
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
            try:
                durable.write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


# -- import ---------------------------------------------------------------------------------------


@dataclass
class _Plan:
    """What an import will write, once all of it has been checked."""

    bundle: Bundle
    heads: dict[str, list[KeptHead]] = field(default_factory=dict)
    parts: dict[str, LedgerPart] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    leaves: dict[bytes, str] = field(default_factory=dict)
    splits: list[tuple[str, SplitView]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    loose: list[Signed] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def import_bundle(node: Node, path: Path) -> Imported:
    """Take in an exchange file, whole or not at all; the steps are the module's.

    Raises:
        BadBundle, BadExchange, BadNote, BadProof, BadLeaf: the first thing that is wrong. Nothing was written.
        StorageTrouble: the disk. The node is intact; the same import again finishes.
    """
    try:
        return take(node, parse_bundle(_read(path), str(path)), path)
    except StorageTrouble:
        raise
    except WatchwordError as error:
        # Whoever takes in several files must see which one it was, whatever in it was wrong.
        if not error.message.startswith(str(path)):
            error.message = f"{path}: {error.message}"
        error.args = (error.message,)
        error.hint = error.hint or "nothing from it was used; ask its sender for another"
        raise


def take(node: Node, bundle: Bundle, path: Path) -> Imported:
    """Take in a parsed exchange, from a file or as a node answered it. Raises as ``import_bundle``.

    Args:
        path: where it came from, to be named.
    """
    if not node.writing:
        raise NotHere(f"{node.home}: opened for reading only")
    # 1
    _check_address(node, bundle, path)
    store = node.store
    plan = _Plan(bundle)
    # 2 and 3
    for part in bundle.ledgers:
        _plan_part(store, plan, part)
    # 4
    left = _plan_bodies(store, plan)
    # 5
    _plan_loose(node, plan, path)
    missing = parse_missing(bundle.objects, node.charter.known_origins)
    # 6
    forks = tuple(Fork(origin, split.message, store.keep_split(origin, split)) for origin, split in plan.splits)
    stored = sum(not store.bodies.holds(body.commitment) for body in plan.bodies)
    store.bodies.put_many((body.salt, body.data) for body in plan.bodies)
    store.add_loose(plan.loose)
    extended = tuple(_write_part(store, plan, origin) for origin in plan.parts)
    forked = {origin for origin, _ in plan.splits}
    if bundle.ledgers:
        sizes = {part.origin: part.start + len(part.entries) for part in bundle.ledgers if part.origin not in forked}
        store.set_peer(bundle.sender, Peer(sizes, missing))
    keep_cases(store, bundle.bodies, bundle.objects)
    # 7
    cosigned = sum(node.cosign(origin) for origin in plan.parts if node.charter.origins[origin].end is None)
    honour(node)
    if not node.receives:
        accuse(node)
        begin_if_superseded(node)
    return Imported(
        path,
        bundle.sender,
        tuple(one for one in extended if one.new > one.old),
        stored,
        left,
        tuple(plan.loose),
        cosigned,
        forks,
        tuple(plan.skipped),
        tuple(sorted(plan.unread)[:UNREAD_KINDS_TOLD_MAX]),
    )


def exchange(node: Node, folder: Path) -> tuple[list[Imported], list[Path]]:
    """Import every ``*-to-<MEMBER>.wwx.json`` in *folder*, then write one for each other member.

    Raises:
        As ``import_bundle``, naming the file; files before it were taken in.
    """
    if not folder.is_dir():
        raise BadExchange(f"{folder}: no such folder")
    wanted = re.compile(rf"[^.].*-to-{re.escape(node.member)}{re.escape(SUFFIX)}")
    imported = [import_bundle(node, path) for path in sorted(folder.iterdir()) if wanted.fullmatch(path.name)]
    written = []
    for member in node.charter.members:
        if member.name != node.member:
            path = folder / f"{node.member}-to-{member.name}{SUFFIX}"
            export(node, member.name, path)
            written.append(path)
    return imported, written


def _check_address(node: Node, bundle: Bundle, path: Path) -> None:
    """Step 1: who wrote the file, for whom, under which charter."""
    if bundle.purpose != "exchange" or bundle.alliance_secret is not None or bundle.names is not None:
        raise BadExchange(f"{path}: not an exchange file", "a proof is re-checked with: watchword ledger verify")
    if bundle.decisions or bundle.as_of is not None:
        raise BadExchange(f"{path}: an exchange file names no decisions and no time")
    if bundle.charter != node.charter.digest:
        raise BadExchange(
            f"{path}: is under charter {bundle.charter}, this node has {node.charter.digest}",
            "its sender has adopted another charter",
        )
    if bundle.to not in (None, node.member):
        raise BadExchange(f"{path}: is for {bundle.to}, this is {node.member}")
    ours = bundle.sender == node.member and not node.receives
    if ours or bundle.sender not in {member.name for member in node.charter.members}:
        raise BadExchange(f"{path}: says it is from {bundle.sender}, which is not another member")


def _plan_part(store: Store, plan: _Plan, part: LedgerPart) -> None:
    """Steps 2 and 3 for one ledger."""
    origin = part.origin
    if origin not in store.charter.known_origins or origin in plan.heads or part.proofs:
        raise BadExchange(f"{origin}: no shared ledger of the charter, or stands twice, or with proofs")
    # 2
    heads = [store.head(origin, note) for note in (*(one.note for one in part.earlier), part.note)]
    plan.heads[origin] = heads
    sizes = [head.checkpoint.size for head in heads]
    if sizes != sorted(set(sizes)):
        raise BadExchange(f"{origin}: heads are not in order of size")
    # 3
    use = store.use(origin)
    entries = [
        leaves.parse(use, entry, f"{origin}, leaf {part.start + place}") for place, entry in enumerate(part.entries)
    ]
    log = store.log(origin)
    held = Checkpoint(origin, 0, EMPTY_ROOT)
    note = None if log is None else log.checkpoint()
    if log is not None and note is not None:
        held = Checkpoint(origin, log.published_size, log.root(log.published_size))
    newest = heads[-1].checkpoint
    if store.is_own(origin) and newest.size > held.size:
        message = f"{origin} is this member's own: somebody signed a head at size {newest.size} with its key"
        plan.splits.append((origin, SplitView(message, note or b"", part.note)))
        return
    if part.start > held.size:
        plan.skipped.append((origin, f"the file begins at {part.start}, {held.size} are held; the next one will not"))
        return
    try:
        fresh = check_part(part, heads, held, note, _frontier_of(log, held.size))
    except SplitView as split:
        plan.splits.append((origin, split))
        return
    plan.parts[origin] = part
    plan.fresh[origin] = fresh
    plan.leaves |= {leaf.commitment: use for leaf in entries}


def _frontier_of(log: Log | None, size: int) -> Any:
    if log is None:
        return lambda _: Frontier()
    at = TileReader(log.folder).hash_at(size)
    return lambda wanted: frontier_at(at, wanted)


def _plan_bodies(store: Store, plan: _Plan) -> int:
    """Step 4: choose the bodies to keep; how many are left."""
    held: dict[bytes, str] = {}
    for origin in store.charter.known_origins:
        held |= {leaf.commitment: store.use(origin) for leaf in store.leaves(origin)}
    held |= plan.leaves
    spilled = store.spilled()
    contents: list[Body] = []
    named: dict[bytes, list[Signed]] = {}
    for body in plan.bundle.bodies:
        if body.sort == "receipt":
            raise BadExchange("an exchange file holds a receipt, which never leaves a node")
        if body.commitment in spilled:
            continue
        if body.sort == "content":
            contents.append(body)
            continue
        signed = statement_of(body, held.get(body.commitment))
        ours = signed is not None and (scope_allows(signed, store.me.name) or signed.statement.issuer == store.me.name)
        if signed is not None and ours:
            plan.bodies.append(body)
            for commitment in attachments(signed):
                named.setdefault(commitment, []).append(signed)
    if contents:
        for _, _, one in store.statements():
            for commitment in attachments(one.signed):
                named.setdefault(commitment, []).append(one.signed)
    plan.bodies += [body for body in contents if body.commitment in named and body.commitment not in held]
    return len(plan.bundle.bodies) - len(plan.bodies)


def statement_of(body: Body, use: str | None) -> Signed | None:
    """The statement in a body that a leaf of a ledger of *use* commits to; None when it has no place there.

    A body that is no statement, or a kind that its ledger does not hold, is left: the leaf stays, as one whose body is
    not held, and a notice that cannot be read counts against what it names.
    """
    if use is None:
        return None
    try:
        signed = open_envelope(body.data)
    except WatchwordError:
        return None
    kind = signed.statement.kind
    if kind in KINDS and (kind in NOTICES) != (use == "notices"):
        return None
    return signed


def _plan_loose(node: Node, plan: _Plan, path: Path) -> None:
    """Step 5. Notices of a refused ledger count too: who signed them cannot take them back by forking."""
    already = {held.signed.statement.id for held in node.store.loose_held()}
    found: dict[str, Signed] = {}
    for envelope in plan.bundle.loose:
        signed = open_envelope(envelope)
        if signed.statement.kind not in KINDS:
            # Nothing of what is known here is lost with it, and a file from a newer node is not refused for it.
            plan.unread.add(signed.statement.kind)
            continue
        try:
            node.check_loose(signed)
        except WatchwordError as error:
            raise BadExchange(f"{path}: a loose notice does not count: {error.message}", error.hint) from error
        found[signed.statement.id] = signed
    if plan.splits or plan.skipped:
        for body in plan.bundle.bodies:
            one = statement_of(body, "notices") if body.sort == "envelope" else None
            if one is not None and one.statement.kind in ANY_CHANNEL and node.store.judged(one).holder is not None:
                found[one.statement.id] = one
    plan.loose = [found[id] for id in sorted(found) if id not in already]


def _write_part(store: Store, plan: _Plan, origin: str) -> Extended:
    """Step 6 for one ledger: extend the mirror, keep the heads."""
    part = plan.parts[origin]
    old = 0
    if not store.is_own(origin):
        log = store.mirror(origin)
        old = log.published_size
        if plan.fresh[origin] or log.checkpoint() is None:
            log.extend_mirror(part.start, part.entries, bare(store.charter, origin, part.note))
    store.take_notes(origin, [head.note for head in plan.heads[origin]])
    return Extended(origin, old, old + plan.fresh[origin])
