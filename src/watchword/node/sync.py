"""Sync over HTTP: what peers hold and we have not, pulled and verified; nothing is believed because of who sent it.

Follows docs/protocol.md, section 11. For each peer, one after another, and for each shared ledger of the charter:

1. Its heads, where its list of their tags says that they are not byte for byte those we keep. Signed by their owner;
   every line of a known key verifies. A list that leaves something out is like a peer that holds it back.
2. The entries that lead from what we hold to the newest head, from this peer's copy, whoever's ledger it is.
3. Written: entries and head, whole or not at all; then every cosignature that is new here, our own among them.
4. Once per peer: bodies of the leaves that are new, by commitment, as their scope allows; loose notices and stops.
5. The signatures of these bodies, once: the node remembers which verify. Of many, by two processes.
6. What a spill among them asks for is purged, and never asked for again.

* A ledger that contradicts what is held here is refused alone: both signed heads are kept.
* A peer that does not answer, or serves what does not fit, costs its own share: it is named, and the next one is asked.
* How far bodies were asked for is remembered per peer; what a scope kept from us is not asked for every hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger import durable, leaves, pull
from watchword.ledger.bundle import Body, LedgerPart, parse_bundle
from watchword.ledger.checkpoint import Checkpoint, SplitView
from watchword.ledger.demand import sign_demand
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.exchange import KeptHead, attachments, bare, check_part, scope_allows
from watchword.ledger.fetch import BadAnswer, Remote, Unreachable
from watchword.ledger.log import Log
from watchword.ledger.merkle import EMPTY_ROOT, BadProof, Frontier, frontier_at
from watchword.ledger.tiles import TileReader
from watchword.ledger.verified import verifying
from watchword.limits import (
    BODIES_ANSWER_BYTES_MAX,
    BODIES_ASKED_MAX,
    BUNDLE_BYTES_MAX,
    DEMAND_ROUNDS_MAX,
    FETCH_HEADS_BYTES_MAX,
    PULL_TOGETHER_MAX,
    SIGNATURES_PART,
    SIGNATURES_SHARED_MIN,
)
from watchword.node.accusing import accuse
from watchword.node.carry import BadExchange, Extended, Fork, statement_of
from watchword.node.node import Node
from watchword.node.recorded import NotHere
from watchword.node.renewing import begin_if_superseded
from watchword.node.spilling import honour
from watchword.node.store import HEADS_FORMAT, Store
from watchword.observe.steps import step
from watchword.processes import shared
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import DJ
from watchword.statements.statement import Signed, open_envelope
from watchword.statements.times import rfc3339

TAGS_FORMAT = "watchword-head-tags/1"
ASKED_FORMAT = "watchword-asked/1"
ENTITY_TAG_BYTES = 16
_ASKED_IN_A_RUN = (DEMAND_ROUNDS_MAX - 1) * BODIES_ASKED_MAX


STATIC = (404, 405, 501)
"""What a place answers to a POST that only serves files (``publishing``)."""


class NoBodies(BadAnswer):
    """A place that has ledgers and nothing else: other members have the bodies."""


@dataclass
class Synced:
    """What one peer brought. ``troubles``: (ledger or peer, what was wrong); ``forks`` convict, troubles do not.

    ``statements``: commitment and kind of each whose body came. ``files_only``: the place has ledgers and nothing else;
    bodies and bad news have to come from elsewhere, and it does not count as a member that was heard.
    """

    peer: str
    url: str
    ledgers: list[Extended] = field(default_factory=list)
    bodies: int = 0
    loose: int = 0
    cosigned: int = 0
    forks: list[Fork] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    statements: dict[bytes, str] = field(default_factory=dict)
    requests: int = 0
    bytes: int = 0
    files_only: bool = False

    def told(self) -> str:
        """One line for people; forks first, because they convict."""
        new = sum(one.new - one.old for one in self.ledgers)
        parts = [f"FORK of {fork.origin}: both signed heads kept in {fork.folder}" for fork in self.forks]
        parts.append(f"from {self.peer}: {new} new leaves in {len(self.ledgers)} ledgers, {self.bodies} bodies")
        if self.loose:
            parts.append(f"{self.loose} loose notices, which count from now on")
        parts.append(f"{self.cosigned} heads cosigned; {self.requests} requests, {self.bytes:,} bytes")
        if self.files_only:
            parts.append("a place of files alone: bodies and bad news come from members")
        parts += [f"trouble with {what}: {why}" for what, why in self.troubles]
        return "; ".join(parts)

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "bodies": self.bodies,
            "bytes": self.bytes,
            "cosigned": self.cosigned,
            "files_only": self.files_only,
            "forks": [{"kept": str(f.folder), "message": f.message, "origin": f.origin} for f in self.forks],
            "from": self.peer,
            "ledgers": [{"new": one.new, "old": one.old, "origin": one.origin} for one in self.ledgers],
            "loose": self.loose,
            "requests": self.requests,
            "troubles": [{"what": what, "why": why} for what, why in self.troubles],
            "url": self.url,
        }


def sync(node: Node, peers: Mapping[str, str], *, all_bodies: bool = False) -> list[Synced]:
    """Pull from every peer (member to address), in order; what each brought.

    Args:
        all_bodies: ask for every body that is missing, also for those that this peer once did not give.

    Raises:
        NotHere: opened for reading only, or a peer is no other member.
        StorageTrouble: the disk. What was taken before stays; the next run goes on from there.
    """
    if not node.writing:
        raise NotHere(f"{node.home}: opened for reading only")
    for name in peers:
        if node.charter.member(name).name == node.member:
            raise NotHere(f"{name} is this node", "peers are other members")
    brought = [_sync_one(node, name, url, all_bodies) for name, url in peers.items()]
    accuse(node)
    begin_if_superseded(node)
    return brought


def silent(peers: Mapping[str, str]) -> list[Synced]:
    """Those of *peers* that do not answer, and why.

    To be asked before the node is taken for writing: a machine that is down is waited for as long as one request may
    take, and meanwhile a gate of this node has to answer.
    """
    found = []
    for name, url in peers.items():
        try:
            with Remote(url) as remote:
                remote.get("heads", FETCH_HEADS_BYTES_MAX)
        except Unreachable as error:
            with step("sync", peer=name) as this:
                this.error, this.outcome = type(error).__name__, "trouble"
            found.append(Synced(name, url, troubles=[(name, error.message)]))
        except WatchwordError:
            pass  # it answers: what, is looked at when it is asked for all
    return found


def entity_tag(data: bytes) -> str:
    """The entity tag of a served file: equal content, equal tag, on every node."""
    return f'"{sha256(data).hexdigest()[: 2 * ENTITY_TAG_BYTES]}"'


def head_tags(store: Store) -> bytes:
    """The tag of the heads kept of every shared ledger, open or closed: equal knowledge is equal bytes."""
    kept = {origin: store.kept_file(origin) for origin in store.charter.known_origins}
    tags = {origin: entity_tag(data) for origin, data in kept.items() if data is not None}
    return canonical({"format": TAGS_FORMAT, "tags": tags})


def prefix_of(origin: str) -> str:
    """Where a node serves the ledger of *origin*, below its base address."""
    return f"logs/{sha256(origin.encode()).hexdigest()}/"


def _sync_one(node: Node, peer: str, url: str, all_bodies: bool) -> Synced:
    synced = Synced(peer, url)
    with step("sync", peer=peer) as this:
        try:
            with Remote(url) as remote:
                try:
                    _ledgers(node, remote, synced)
                    _bodies(node, remote, synced, all_bodies)
                except NoBodies:
                    synced.files_only = True
                finally:
                    synced.requests, synced.bytes = remote.requests, remote.received
        except StorageTrouble:
            raise
        except WatchwordError as error:
            synced.troubles.append((peer, error.message))
            this.error = type(error).__name__
        _verify_signatures(node, synced)
        new = sum(one.new - one.old for one in synced.ledgers)
        this.facts |= {"bodies": synced.bodies, "bytes": synced.bytes, "leaves": new, "requests": synced.requests}
        whole = "files" if synced.files_only else "synced"
        this.outcome = "fork" if synced.forks else "trouble" if synced.troubles else whole
    if this.outcome == "synced":
        durable.make_folder(node.store.home / "peers")
        _synced_at(node.store, peer).touch()
    return synced


def _ledgers(node: Node, remote: Remote, synced: Synced) -> None:
    for origin in _differing(node.store, remote):
        try:
            _ledger(node, remote, origin, synced)
        except SplitView as split:
            synced.forks.append(Fork(origin, split.message, node.store.keep_split(origin, split)))
        except (StorageTrouble, Unreachable):
            raise
        except WatchwordError as error:
            synced.troubles.append((origin, error.message))


def _differing(store: Store, remote: Remote) -> list[str]:
    """The ledgers of which the peer keeps other heads than we do; all, where it has no such list."""
    ours = head_tags(store)
    answer = remote.get("heads", FETCH_HEADS_BYTES_MAX, entity_tag(ours))
    if answer.status == 304:
        return []
    if answer.status == 404:
        return list(store.charter.known_origins)
    what = f"{remote.url}heads"
    theirs = parse_canonical(answer.body, what, FETCH_HEADS_BYTES_MAX) if answer.status == 200 else None
    tags = theirs.get("tags") if isinstance(theirs, dict) and theirs.get("format") == TAGS_FORMAT else None
    if not isinstance(tags, dict):
        raise BadAnswer(f"{what}: status {answer.status}, not of the form {TAGS_FORMAT}")
    known = parse_canonical(ours, what, len(ours))["tags"]
    return [one for one in store.charter.known_origins if one in tags and tags[one] != known.get(one)]


def _ledger(node: Node, remote: Remote, origin: str, synced: Synced) -> None:
    """Steps 1 to 3 for one ledger."""
    store, end = node.store, node.charter.origins[origin].end
    log = store.log(origin)
    if end is not None and log is not None and log.published_size >= end.size:
        return
    # 1
    kept = store.kept_file(origin)
    answer = remote.get(f"{prefix_of(origin)}heads", FETCH_HEADS_BYTES_MAX, entity_tag(kept) if kept else "")
    if answer.status in (304, 404):
        return
    if answer.status != 200:
        raise BadAnswer(f"{remote.url}: status {answer.status} for the heads of {origin}")
    heads = [h for h in _heads(store, origin, answer.body) if end is None or h.checkpoint.size <= end.size]
    if not heads:
        return
    newest = heads[-1].checkpoint
    # 2
    held, note = Checkpoint(origin, 0, EMPTY_ROOT), None if log is None else log.checkpoint()
    if log is not None and note is not None:
        held = Checkpoint(origin, log.published_size, log.root(log.published_size))
    # Those that we keep were seen to stand in our tree, as far as it reaches.
    known = {one.checkpoint for one in store.kept_heads(origin) if one.checkpoint.size <= held.size}
    news = [one for one in heads[:-1] if one.checkpoint not in known] + heads[-1:]
    if store.is_own(origin) and newest.size > held.size:
        message = f"{origin} is this member's own: somebody signed a head at size {newest.size} with its key"
        raise SplitView(message, note or b"", heads[-1].note)
    signed = bare(store.charter, origin, heads[-1].note)
    if newest.size - held.size > PULL_TOGETHER_MAX:
        mirror = store.mirror(origin)
        pull.pull_tiles(remote, prefix_of(origin), mirror.folder, mirror.staging, held.size, newest, store.use(origin))
        # 3
        mirror.accept_tiles(signed)
        _agree(mirror, news)
    else:
        start, entries = min(held.size, newest.size), []
        if newest.size > held.size:
            entries = pull.pull_entries(remote, prefix_of(origin), held.size, newest.size)
        for place, entry in enumerate(entries, start):
            leaves.parse(store.use(origin), entry, f"{origin}, leaf {place}")
        part = LedgerPart(origin, heads[-1].note, (), start, tuple(entries))
        at = None if log is None else TileReader(log.folder).hash_at(held.size)
        try:
            check_part(part, news, held, note, lambda size: frontier_at(at, size) if at and size else Frontier())
        except BadProof:
            # Do these leaves not follow, or is it another history that they follow from? Its tiles can prove that.
            if note is not None and newest.size > held.size:
                _refuse_fork(remote, held, note, heads[-1])
            raise
        # 3
        if newest.size > held.size or (note is None and not store.is_own(origin)):
            store.mirror(origin).extend_mirror(start, entries, signed)
    if newest.size > held.size:
        synced.ledgers.append(Extended(origin, held.size, newest.size))
    synced.cosigned += node.cosign(origin, [head.note for head in heads])


def _refuse_fork(remote: Remote, held: Checkpoint, note: bytes, theirs: KeptHead) -> None:
    """Raise SplitView when the tree of a larger signed head provably has another root than ours at our size."""
    if held.size:
        passed, path = pull.passed_at(remote, prefix_of(held.origin), held.size, theirs.checkpoint)
        if passed != held.root:
            message = f"head of {held.origin} at size {theirs.checkpoint.size} does not extend ours at {held.size}"
            raise SplitView(message, note, theirs.note, passed, path)


def _heads(store: Store, origin: str, data: bytes) -> list[KeptHead]:
    """The heads that a peer keeps of one ledger, verified, ascending by size."""
    what = f"heads of {origin}"
    value = parse_canonical(data, what, FETCH_HEADS_BYTES_MAX)
    good = isinstance(value, dict) and value.get("format") == HEADS_FORMAT and value.get("origin") == origin
    notes = value.get("notes") if good else None
    if not isinstance(notes, list) or not notes or not all(isinstance(note, str) for note in notes):
        raise BadAnswer(f"{what}: not of the form {HEADS_FORMAT}")
    heads = [store.head(origin, note.encode()) for note in notes]
    sizes = [head.checkpoint.size for head in heads]
    if sizes != sorted(set(sizes)):
        raise BadAnswer(f"{what}: not in order of size")
    return heads


def _agree(mirror: Log, heads: list[KeptHead]) -> None:
    """Every other head stands in the tree that the newest one, now ours, is the root of."""
    for head in heads[:-1]:
        if mirror.root(head.checkpoint.size) != head.checkpoint.root:
            message = f"two signed heads of {mirror.origin} contradict each other, at size {head.checkpoint.size}"
            raise SplitView(message, heads[-1].note, head.note)


# -- bodies ---------------------------------------------------------------------------------------


def _bodies(node: Node, remote: Remote, synced: Synced, all_bodies: bool) -> None:
    """Step 4. How far was asked is remembered last: a run that is cut short asks again, a bounded one goes on."""
    store = node.store
    path = store.home / "peers" / f"{sha256(synced.peer.encode()).hexdigest()}.asked.json"
    spilled = store.spilled()
    before = _asked(path)
    start = {} if all_bodies else before["sizes"]
    sizes: dict[str, int] = {}
    wanted: dict[bytes, str] = {}
    places: dict[bytes, tuple[str, int]] = {}
    for origin in store.charter.known_origins:
        log = store.log(origin)
        held = 0 if log is None else log.published_size
        sizes[origin] = held if store.is_own(origin) else min(int(start.get(origin, 0)), held)
        while log is not None and sizes[origin] < held and len(wanted) < _ASKED_IN_A_RUN:
            first = sizes[origin]
            sizes[origin] = min(first + BODIES_ASKED_MAX, held)
            for index, entry in enumerate(log.entries(first, sizes[origin]), first):
                commitment = leaves.parse(store.use(origin), entry).commitment
                if not store.bodies.holds(commitment) and commitment not in spilled:
                    wanted[commitment], places[commitment] = store.use(origin), (origin, index)
    loose, left = fetch_bodies(node, remote, synced, wanted, before["loose"])
    for origin, index in map(places.__getitem__, left):
        sizes[origin] = min(sizes[origin], index)
    # While everything comes, what is held says what need not be asked for; the file is for what did not come.
    passed = sum(sizes.values()) - sum(start.values())
    if passed > BODIES_ASKED_MAX or loose != before["loose"] or not all(map(store.bodies.holds, wanted)):
        store.put_own(path, canonical({"format": ASKED_FORMAT, "loose": loose, "sizes": sizes}))


def fetch_bodies(
    node: Node, remote: Remote, synced: Synced, wanted: Mapping[bytes, str], loose: str | None
) -> tuple[str | None, list[bytes]]:
    """Ask for bodies by commitment (each with the use of its ledger), in order, and take in those that come.

    Returns:
        The digest of the loose notices told, and what DEMAND_ROUNDS_MAX left to be asked for.
    """
    want = list(wanted)
    for _ in range(DEMAND_ROUNDS_MAX):
        batch, want = want[:BODIES_ASKED_MAX], want[BODIES_ASKED_MAX:]
        got, loose = _ask(node, remote, synced, {one: wanted[one] for one in batch}, loose)
        # An answer is bounded: what did not fit is asked for again, as long as anything comes.
        want = [*(one for one in batch if one not in got and got), *want]
        if not want:
            break
    return loose, want


def _ask(
    node: Node, remote: Remote, synced: Synced, wanted: Mapping[bytes, str], loose: str | None
) -> tuple[set[bytes], str | None]:
    """One request; the leaves' bodies that came and the digest of the loose notices told, all of it taken in."""
    store, key = node.store, node.keys.job("witness")
    now = rfc3339(node.clock.now())
    demand = sign_demand(node.charter, node.member, synced.peer, now, list(wanted), loose, key)
    answer = remote.post("bodies", demand, BODIES_ANSWER_BYTES_MAX)
    what = f"{remote.url}bodies"
    if answer.status in STATIC:
        raise NoBodies(f"{what}: status {answer.status}: a place of files alone")
    if answer.status != 200:
        raise BadAnswer(f"{what}: status {answer.status}: {answer.body[:200].decode('utf-8', 'replace').strip()}")
    bundle = parse_bundle(answer.body, what)
    if (bundle.charter, bundle.sender, bundle.to) != (node.charter.digest, synced.peer, node.member) or bundle.ledgers:
        raise BadExchange(f"{what}: not an answer of {synced.peer} to {node.member} under this charter")
    spilled = store.spilled()
    taken: dict[bytes, Body] = {}
    statements: dict[bytes, Signed] = {}
    named: dict[bytes, int | None] = {}
    unspilled = [body for body in bundle.bodies if body.commitment not in spilled]
    for body in unspilled:
        signed = statement_of(body, wanted.get(body.commitment)) if body.sort == "envelope" else None
        if signed and (scope_allows(signed, node.member) or signed.statement.issuer == node.member):
            taken[body.commitment] = body
            statements[body.commitment] = signed
            named |= attachments(signed)
    contents = [
        one for one in unspilled if one.sort == "content" and named.get(one.commitment, -1) in (None, len(one.data))
    ]
    news = []
    for envelope in bundle.loose:
        try:
            signed = open_envelope(envelope)
            node.check_loose(signed)
            news.append(signed)
        except WatchwordError as error:
            # Whoever mixes junk into bad news must not keep the rest of it from us.
            synced.troubles.append((synced.peer, f"a loose notice does not count: {error.message}"))
    already = {held.signed.statement.id for held in store.loose_held()}
    store.bodies.put_many((body.salt, body.data) for body in [*contents, *taken.values()])
    store.add_loose(news)
    synced.statements |= {commitment: signed.statement.kind for commitment, signed in statements.items()}
    # 5: where they are few, at once, as they are parsed already.
    for commitment, signed in statements.items() if len(wanted) < SIGNATURES_SHARED_MIN else ():
        store.held(commitment, signed)
    synced.bodies += len(taken) + len(contents)
    synced.loose += sum(one.statement.id not in already for one in news)
    return set(taken), DJ([one.statement.id for one in news]) if news else loose


def _verify_signatures(node: Node, synced: Synced) -> None:
    """Steps 5 and 6, for the bodies that came."""
    store = node.store
    came = [commitment for commitment in synced.statements if commitment not in store.verified]
    if len(came) >= SIGNATURES_SHARED_MIN:
        keys = {id: holder.public for id, holder in store.charter.holders.items()}
        parts = [came[at : at + SIGNATURES_PART] for at in range(0, len(came), SIGNATURES_PART)]
        for good in shared(partial(verifying, store.home / "bodies", keys), parts):
            store.verified.add(good)
    else:
        for one in came:
            store.held(one)
    store.verified.keep()
    if synced.statements and ("spill" in synced.statements.values() or store.spilled()):
        honour(node)


def last_synced_s(store: Store, peer: str) -> int:
    """When *peer* last gave all that was asked of it, in seconds since 1970 by the file system; 0 for never."""
    path = _synced_at(store, peer)
    return int(path.stat().st_mtime) if path.exists() else 0


def _synced_at(store: Store, peer: str) -> Path:
    return store.home / "peers" / f"{sha256(peer.encode()).hexdigest()}.synced"


def _asked(path: Path) -> dict[str, Any]:
    data = durable.read(path, BUNDLE_BYTES_MAX)
    if data is None:
        return {"loose": None, "sizes": {}}
    value: dict[str, Any] = parse_canonical(data, str(path), BUNDLE_BYTES_MAX)
    return value
