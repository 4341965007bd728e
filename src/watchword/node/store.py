"""What a node holds on its disk: its ledgers, mirrors of all others, cosigned heads, bodies, loose notices.

    ledger/ notices/ record/        its own ledgers; record is private
    receipts                        the gate's receipts, whole (see ``ledger.journal``); record's leaves follow from it
    mirrors/<SHA-256 of origin>/    ledgers of others, whole
    heads/<SHA-256 of origin>       the last head of each, apart from the ledgers (see ``ledger.heads``)
    cosigned/<SHA-256 of origin>    the newest head with a quorum, and newer ones that gather cosignatures
    bodies/sha256/<commitment>      salt and body
    loose/<id>.json                 bad news with standing from any channel
    objects/<digest>.json           use cases, views and loose lists that decisions name
    views/<digest>.json             for a view that a decision was made in: its signed notes
    peers/<SHA-256 of name>.json    what another member was last seen to hold
    spilled                         commitments of bodies that were purged, one a line
    verified                        commitments of bodies that were opened and verified (see ``ledger.verified``)
    equivocation/<…>/               two signed heads that cannot both be true

* A view is read from cosigned heads alone; facts are what stands in it with standing. Standing is checked once.
* What is read is verified again where others wrote it: signatures of heads, commitments of bodies.
* The tree below a cosigned head was checked when it was taken in, and is checked by ``Log.open`` and ``Log.check``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from watchword.charter.charter import Charter, KeyHolder, Member
from watchword.charter.standing import NoStanding, standing
from watchword.ledger import durable, leaves
from watchword.ledger.bodies import Bodies
from watchword.ledger.checkpoint import SplitView, verify_head
from watchword.ledger.equivocation import evidence
from watchword.ledger.exchange import KeptHead, Ranges, gather, head_of, ranges_of
from watchword.ledger.leaves import Leaf, leaf_of
from watchword.ledger.log import Log
from watchword.ledger.lying import lying
from watchword.ledger.notes import BadNote
from watchword.ledger.notices import BadName, said_name, standing_of_notice
from watchword.ledger.verified import Verified
from watchword.ledger.view import EvidenceLeaf, Fact, Facts, Head, NoticeLeaf, View, loose_list
from watchword.limits import (
    BUNDLE_BYTES_MAX,
    CLOCK_AHEAD_S_MAX,
    ENVELOPE_BYTES_MAX,
    NOTE_BYTES_MAX,
    NOTES_KEPT_MAX,
    SPLITS_KEPT_MAX,
)
from watchword.node.home import is_closing, is_restored
from watchword.node.receipts import Receipts
from watchword.node.recorded import DamagedHome
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import DJ, D, blinded, parse_digest
from watchword.statements.kinds import ANY_CHANNEL, NOTICES
from watchword.statements.statement import Signed, open_envelope
from watchword.statements.times import Clock, from_unix

HEADS_FORMAT = "watchword-heads/1"
PEER_FORMAT = "watchword-peer/1"
EVIDENCE_FORMAT = "watchword-evidence/1"
LOOSE_KINDS = ANY_CHANNEL | {"stop"}
"""What counts from any channel. A stop is no notice: it has no name, and voids mandates instead of evidence."""

_HEADS_BYTES_MAX = (NOTES_KEPT_MAX + 1) * (2 * NOTE_BYTES_MAX)
_PARSED_HEADS_MAX = 4_096
_RECENT_MAX = 64
_ANEW = "docs/howto/fork.md, step 4, says how to mirror it anew"


@dataclass(frozen=True, slots=True)
class Held:
    """A statement whose body is held; ``holder`` when it has standing."""

    signed: Signed
    holder: KeyHolder | None


@dataclass(frozen=True)
class Peer:
    """What another member was last seen to hold: sizes by origin, and leaves whose bodies it lacked."""

    sizes: dict[str, int]
    missing: dict[str, Ranges]


class Store:
    """An open home, as data. Signs nothing and decides nothing."""

    def __init__(
        self, home: Path, charter: Charter, me: Member, secret: bytes, clock: Clock, writing: bool, receives: bool
    ) -> None:
        self.receives = receives
        self.home = home
        self.charter = charter
        self.me = me
        self.secret = secret
        self.clock = clock
        self.writing = writing
        self.bodies = Bodies(home / "bodies")
        self.staging = home / "staging"
        self.verified = Verified(home / "verified")
        self.receipts = Receipts(home, me.name, self.staging, writing)
        self._checkpoints = {origin: self.folder(origin) / "checkpoint" for origin in charter.known_origins}
        self._logs: dict[str, Log] = {}
        self._leaves: dict[str, list[Leaf]] = {}
        self._held: dict[bytes, Held] = {}
        self._parsed_heads: dict[tuple[str, bytes], KeptHead] = {}
        self._kept: dict[str, tuple[Any, tuple[KeptHead, ...]]] = {}
        self._parsed_loose: dict[str, Held] = {}
        self._recent: dict[str, Any] = {}
        self._view_notes: dict[str, dict[str, bytes]] = {}
        self._facts: tuple[Any, Facts] | None = None

    def close(self) -> None:
        """Let go of every ledger."""
        if self.writing:
            self.verified.keep()
        for log in self._logs.values():
            log.close()
        self._logs = {}
        self.receipts.close()

    def now_s(self) -> int:
        return int(self.clock.now().timestamp())

    # -- ledgers ----------------------------------------------------------------------------------

    def is_own(self, origin: str) -> bool:
        return origin in self.me.origins.values() and not self.receives

    def log(self, origin: str) -> Log | None:
        """The ledger of *origin* as held here; None when nothing of it is."""
        if origin not in self._logs:
            folder = self.folder(origin)
            if not (folder / "checkpoint").exists() and not self.is_own(origin):
                return None
            self._logs[origin] = Log.open(folder, origin, self.home / "heads", writable=self.writing)
        if self.writing and self.is_own(origin) and self.use(origin) == "record":
            self.receipts.lead(self._logs[origin])
        return self._logs[origin]

    def own(self, use: str) -> Log:
        """This member's own ``ledger``, ``notices`` or ``record``."""
        log = self.log(self.me.origins[use])
        if log is None:
            raise DamagedHome(f"{self.home / use}: the ledger is gone")
        return log

    def mirror(self, origin: str) -> Log:
        """The mirror of *origin* for writing; begun when there is none.

        Raises:
            NoLedger, BadLedger, Busy, StorageTrouble: as ``Log.open``.
        """
        if origin not in self._logs:
            folder, heads = self.folder(origin), self.home / "heads"
            begun = (heads / place_of(origin)).exists()
            self._logs[origin] = (
                Log.open(folder, origin, heads, writable=True)
                if begun
                else Log.create(folder, origin, heads, mirror=True)
            )
        return self._logs[origin]

    def use(self, origin: str) -> str:
        """What the ledger of *origin* is used for."""
        return self.charter.origins[origin].use

    def leaves(self, origin: str) -> Sequence[Leaf]:
        """Every leaf held of *origin*, own unpublished ones (as the writer) included."""
        read = self._leaves.setdefault(origin, [])
        log = self.log(origin)
        size = 0 if log is None else log.size
        if log is not None and size > len(read):
            use = self.use(origin)
            entries = log.entries(len(read), size)
            start = len(read)
            read += [leaves.parse(use, entry, f"{origin}, leaf {start + i}") for i, entry in enumerate(entries)]
        return read

    def folder(self, origin: str) -> Path:
        """Where the ledger of *origin* lies, or would."""
        for use, own in self.me.origins.items():
            if own == origin and not self.receives:
                return self.home / use
        return self.home / "mirrors" / place_of(origin)

    # -- heads ------------------------------------------------------------------------------------

    def kept_heads(self, origin: str) -> tuple[KeptHead, ...]:
        """The heads kept of *origin*, ascending: at most one with a quorum, the first.

        Raises:
            DamagedHome, BadNote: the file is not as this node wrote it.
        """
        path = self.home / "cosigned" / place_of(origin)
        stamp = _mtime(path)
        if origin in self._kept and self._kept[origin][0] == stamp:
            return self._kept[origin][1]
        data = durable.read(path, _HEADS_BYTES_MAX)
        if data is None:
            return ()
        notes = [note.encode() for note in own_json(path, data, HEADS_FORMAT)["notes"]]
        heads = tuple(self.head(origin, note) for note in notes)
        if all((origin, note) in self._parsed_heads for note in notes):
            self._kept[origin] = stamp, heads
        return heads

    def kept_file(self, origin: str) -> bytes | None:
        """The file of ``kept_heads`` as it is, to be served and compared; equal knowledge is equal bytes."""
        return durable.read(self.home / "cosigned" / place_of(origin), _HEADS_BYTES_MAX)

    def take_notes(self, origin: str, fresh: Iterable[bytes]) -> tuple[KeptHead, ...]:
        """Keep verified heads of a tree that agrees with ours, merging cosignatures; then the checkpoint on disk.

        Raises:
            BadNote: a line of a known key does not verify.
            StorageTrouble: the disk.
        """
        heads = kept = self.kept_heads(origin)
        known = {head.note for head in kept}
        news = [note for note in fresh if note not in known]
        if news:
            heads = gather(self.charter, origin, kept, news, lambda note: self.head(origin, note))
        if heads != kept:
            value = {"format": HEADS_FORMAT, "notes": [head.note.decode() for head in heads], "origin": origin}
            self.put_own(self.home / "cosigned" / place_of(origin), canonical(value))
            self._kept.pop(origin, None)
        log = self.log(origin)
        present = None if log is None else log.checkpoint()
        if log is None or present is None or not heads or present == heads[-1].note:
            return heads
        if self.head(origin, present).checkpoint == heads[-1].checkpoint:
            log.set_checkpoint(heads[-1].note)
        return heads

    def view(self) -> View:
        """The newest cosigned head of every shared ledger that has one."""
        heads, notes = {}, {}
        for origin in self.charter.shared_origins:
            for kept in self.kept_heads(origin):
                if kept.time_s is not None:
                    heads[origin] = Head(kept.checkpoint.size, kept.checkpoint.root, from_unix(kept.time_s))
                    notes[origin] = kept.note
        view = View(heads)
        self._remember(view.digest, view.value())
        self._view_notes[view.digest] = notes
        return view

    def view_notes(self, digest: str) -> dict[str, bytes] | None:
        """The signed notes of a view that this node made or kept; None when it never did."""
        if digest in self._view_notes:
            return self._view_notes[digest]
        path = self.home / "views" / f"{parse_digest(digest).hex()}.json"
        data = durable.read(path, _HEADS_BYTES_MAX * 64)
        if data is None:
            return None
        return {origin: note.encode() for origin, note in own_json(path, data, HEADS_FORMAT)["notes"].items()}

    def keep_view(self, digest: str) -> None:
        """Keep the notes of a view that was made here, so that its decisions can be proven later."""
        notes = self._view_notes.get(digest)
        path = self.home / "views" / f"{parse_digest(digest).hex()}.json"
        if notes is not None and not path.exists():
            value = {"format": HEADS_FORMAT, "notes": {origin: note.decode() for origin, note in notes.items()}}
            self.put_own(path, canonical(value))

    def head(self, origin: str, note: bytes) -> KeptHead:
        """Verify a note; each is verified once, unless a time in it lay in the future."""
        known = self._parsed_heads.get((origin, note))
        if known is None:
            if len(self._parsed_heads) >= _PARSED_HEADS_MAX:
                self._parsed_heads.clear()
            now_s = self.now_s()
            known = head_of(self.charter, origin, note, now_s)
            if max(known.times.values(), default=0) <= now_s + CLOCK_AHEAD_S_MAX:
                self._parsed_heads[origin, note] = known
        return known

    # -- bodies and facts -------------------------------------------------------------------------

    def held(self, commitment: bytes, came: Signed | None = None) -> Held | None:
        """The statement that a leaf commits to, verified once (*came*: just taken in); None when its body is not held.

        Raises:
            DamagedBody: the file does not match its commitment.
        """
        if (known := self._held.get(commitment)) is not None:
            return known
        verified, found = commitment in self.verified, None if came is not None else self.bodies.get(commitment)
        if found is not None:
            came = lying(self.bodies, commitment, found[1]) if verified else open_envelope(found[1])
        if came is None:
            return None
        known = self.judged(came, in_ledger=True, verified=verified)
        if known.holder is not None and not verified:
            self.verified.add([commitment])
            known = known if found is None else Held(lying(self.bodies, commitment, found[1]), known.holder)
        self._held[commitment] = known
        return known

    def judged(self, signed: Signed, *, in_ledger: bool = False, verified: bool = False) -> Held:
        """*signed* with its holder when it has standing, from any channel or, *in_ledger*, only there."""
        try:
            return Held(signed, standing(self.charter, signed, in_ledger=in_ledger, verified=verified))
        except NoStanding:
            return Held(signed, None)

    def statements(self) -> Iterator[tuple[str, int, Held]]:
        """Every statement held in a shared ledger, in the view or not: (origin, index, statement)."""
        for origin in self.charter.known_origins:
            for index, leaf in enumerate(self.leaves(origin)):
                held = self.held(leaf.commitment)
                if held is not None:
                    yield origin, index, held

    def commitments(self) -> set[bytes]:
        """Those of every leaf held, of the record too: what no statement can name as its attachment."""
        origins = (*self.charter.known_origins, self.me.origins["record"])
        return {leaf.commitment for origin in origins for leaf in self.leaves(origin)}

    def spilled(self) -> set[bytes]:
        """The commitments of bodies that were purged here and are never taken in again."""
        data = durable.read(self.home / "spilled", BUNDLE_BYTES_MAX) or b""
        return {bytes.fromhex(line) for line in data.decode("ascii").split()}

    def add_spilled(self, commitments: Iterable[bytes]) -> None:
        """Remember, before they are purged, what is never to be taken in again."""
        lines = sorted(one.hex() for one in self.spilled() | set(commitments))
        self.put_own(self.home / "spilled", "".join(f"{line}\n" for line in lines).encode())

    def purge(self, commitment: bytes) -> bool:
        """Delete a body and its salt; whether there was one."""
        self._held.pop(commitment, None)
        return self.bodies.purge(commitment)

    def missing(self) -> dict[str, Ranges]:
        """Leaves of the ledgers of others whose bodies are not held here and still wanted."""
        held = self.bodies.all() | {one.hex() for one in self.spilled()}
        return {
            origin: ranges_of(
                index for index, leaf in enumerate(self.leaves(origin)) if leaf.commitment.hex() not in held
            )
            for origin in self.charter.known_origins
            if not self.is_own(origin)
        }

    def facts(self, view: View) -> Facts:
        """What a decision in *view* sees. Read again only when something on disk changed.

        Bad news outside the view counts too, as loose: it needs a signature with standing, and no quorum.
        """
        stamp = (view.digest, self.stamp())
        if self._facts is not None and self._facts[0] == stamp:
            return self._facts[1]
        statements: list[Fact] = []
        notices: list[NoticeLeaf] = []
        unheld: list[EvidenceLeaf] = []
        loose = {held.signed.statement.id: held.signed for held in self.loose_held()}
        for origin in self.charter.known_origins:
            end = self.charter.origins[origin].end
            size = view.heads[origin].size if origin in view.heads else 0 if end is None else end.size
            all_leaves = self.leaves(origin)
            if size > len(all_leaves):
                what = "view names" if end is None else "the charter closes"
                raise DamagedHome(f"{what} {origin} at size {size}, {len(all_leaves)} leaves are held", "import again")
            log = self.log(origin)
            if end is not None and size and (log is None or log.root(size) != end.root):
                raise DamagedHome(f"{origin}: another history is held here than the charter closes", _ANEW)
            if self.use(origin) == "ledger":
                here = list(self._facts_of(origin, all_leaves[:size]))
                statements += here
                # What a decision may consider, and for which no statement with standing is held under its own leaf.
                gone = sorted(set(range(size)) - {fact.index for fact in here})
                named = ((index, of) for index in gone if (of := all_leaves[index]).blinded is not None)
                unheld += [EvidenceLeaf(origin, index, of.blinded or b"", of.commitment) for index, of in named]
                continue
            notices += [self._notice_leaf(origin, i, leaf) for i, leaf in enumerate(all_leaves[:size])]
            for leaf in all_leaves[size:]:
                held = self.held(leaf.commitment)
                if held is not None and held.holder is not None and held.holder.retired_by is None:
                    loose[held.signed.statement.id] = held.signed
        # A copy of a notice under another name's leaf hides nothing: it is not where those who look would find it.
        seen = {
            leaf.signed.statement.id
            for leaf in notices
            if leaf.signed is not None
            and leaf.holder is not None
            and leaf.blinded == blinded(self.secret, said_name(leaf.signed.statement))
        }
        counting = self._counting((signed for id, signed in loose.items() if id not in seen), statements)
        facts = Facts(tuple(statements), tuple(notices), tuple(counting), self.secret, tuple(unheld))
        value = loose_list(signed.statement.id for signed in counting)
        self._remember(DJ(value), value)
        self._facts = (stamp, facts)
        return facts

    def _remember(self, digest: str, value: Any) -> None:
        """A view or loose list that a decision may soon name; of older ones the oldest is forgotten."""
        while len(self._recent) >= _RECENT_MAX and digest not in self._recent:
            oldest = next(iter(self._recent))
            del self._recent[oldest]
            self._view_notes.pop(oldest, None)
        self._recent[digest] = value

    def stamp(self) -> tuple[Any, ...]:
        """Changes whenever what is held may have changed: cheap to compare, read before the files it speaks of."""
        parts: list[Any] = [_names(self.home / "loose"), _mtime(self.home / "bodies" / "sha256")]
        for origin, path in self._checkpoints.items():
            parts.append(_mtime(path))
            if self.is_own(origin):
                log = self.log(origin)
                parts.append(0 if log is None else log.size)
        return tuple(parts)

    def _facts_of(self, origin: str, of: Sequence[Leaf]) -> Iterator[Fact]:
        for index, leaf in enumerate(of):
            held = self.held(leaf.commitment)
            if held is None or held.holder is None or held.signed.statement.kind in NOTICES:
                continue
            if leaf_of(held.signed.statement, leaf.commitment, self.secret) == leaf:
                yield Fact(held.signed, held.holder, origin, index)

    def _notice_leaf(self, origin: str, index: int, leaf: Leaf) -> NoticeLeaf:
        held = self.held(leaf.commitment)
        if leaf.blinded is None:
            raise DamagedHome(f"{origin}, leaf {index}: a notice without a name")
        signed, holder = (None, None) if held is None else (held.signed, held.holder)
        return NoticeLeaf(origin, index, leaf.blinded, signed, holder, leaf.commitment)

    def _counting(self, loose: Iterable[Signed], statements: Iterable[Fact]) -> list[Signed]:
        """Those loose notices that may say what they say, in order of id."""
        by_id = {fact.signed.statement.id: fact.signed for fact in statements}
        counting = []
        for signed in loose:
            if signed.statement.kind not in ANY_CHANNEL:
                continue
            try:
                standing_of_notice(self.charter, signed, by_id.get)
            except (NoStanding, BadName):
                continue
            counting.append(signed)
        return sorted(counting, key=lambda signed: signed.statement.id)

    # -- bad news, objects, peers, evidence -------------------------------------------------------

    def loose_held(self) -> list[Held]:
        """Every loose notice and stop on disk that has standing, in order of id."""
        found = []
        for name in _names(self.home / "loose"):
            known = self._parsed_loose.get(name)
            if known is None:
                path = self.home / "loose" / name
                known = self.judged(open_envelope(durable.read(path, ENVELOPE_BYTES_MAX) or b""))
                if known.signed.statement.id.removeprefix("sha256:") + ".json" != name:
                    raise DamagedHome(f"{path}: not the notice of that id")
                self._parsed_loose[name] = known
            if known.holder is not None:
                found.append(known)
        return found

    def add_loose(self, signed: Sequence[Signed]) -> None:
        """Keep bad news, durably. Any process may, so it takes a lock of its own."""
        folder = self.home / "loose"
        files = [(s.statement.id.removeprefix("sha256:") + ".json", s.envelope) for s in signed]
        fresh = [(name, data) for name, data in files if not (folder / name).exists()]
        if not fresh:
            return
        with durable.translated(folder):
            durable.make_folder(folder, 0o700)
            durable.make_folder(folder / "staging", 0o700)
        with durable.Lock(folder / "staging" / "lock", "loose notices", wait=True), durable.translated(folder):
            durable.replace_many(folder, fresh, folder / "staging", 0o600)

    def keep_object(self, value: Any) -> str:
        """Keep a use case, view or loose list under its digest; returns the digest."""
        digest = DJ(value)
        path = self._object_path(digest)
        if not path.exists():
            self.put_own(path, canonical(value))
        return digest

    def keep_recent(self, digest: str) -> None:
        """Keep a view or loose list that was handed out, when a decision names it."""
        if digest in self._recent:
            self.keep_object(self._recent[digest])

    def object(self, digest: str) -> Any:
        """The object of that digest; None when it is not kept.

        Raises:
            DamagedHome: the file is not the object of its name.
        """
        path = self._object_path(digest)
        data = durable.read(path, BUNDLE_BYTES_MAX)
        if data is None:
            return None
        if D(data) != digest:
            raise DamagedHome(f"{path}: not the object of that digest")
        return parse_canonical(data, str(path), BUNDLE_BYTES_MAX)

    def peer(self, name: str) -> Peer:
        """What *name* was last seen to hold; nothing when it never was."""
        path = self.home / "peers" / f"{place_of(name)}.json"
        data = durable.read(path, BUNDLE_BYTES_MAX)
        if data is None:
            return Peer({}, {})
        value = own_json(path, data, PEER_FORMAT)
        return Peer(value["sizes"], {o: tuple((a, b) for a, b in ranges) for o, ranges in value["missing"].items()})

    def set_peer(self, name: str, peer: Peer) -> None:
        """Remember what *name* holds: the latest word counts, so that a lost or forged file mends itself."""
        missing = {origin: [list(one) for one in ranges] for origin, ranges in peer.missing.items()}
        value = {"format": PEER_FORMAT, "missing": missing, "sizes": peer.sizes}
        self.put_own(self.home / "peers" / f"{place_of(name)}.json", canonical(value))

    def keep_split(self, origin: str, split: SplitView) -> Path:
        """Keep both signed heads of an equivocation; returns their folder. Any process may, so it has its own lock."""
        place = place_of(origin)[:16]
        name = f"{place}-{sha256(split.ours + split.theirs).hexdigest()[:16]}"
        kept, staging = self.home / "equivocation", self.home / "equivocation" / "staging"
        with durable.translated(kept):
            durable.make_folder(kept)
            durable.make_folder(staging, 0o700)
        with durable.Lock(staging / "lock", "equivocation", wait=True), durable.translated(kept):
            known = [one for one in self.splits() if one.name.startswith(place)]
            if len(known) >= SPLITS_KEPT_MAX:
                return known[0]
            if not (kept / name / "theirs").exists():
                value = {"fields": self._evidence(origin, split), "format": EVIDENCE_FORMAT}
                files = [(f"{name}/ours", split.ours), (f"{name}/evidence.json", canonical(value))]
                durable.replace_many(kept, [*files, (f"{name}/theirs", split.theirs)], staging)
        return kept / name

    def retired(self, origin: str) -> bool:
        """Whether this is an own ledger that takes nothing more: another signed history of it is known, a thief's or a
        newer one of ours, its end is prepared, or this home was put back from a copy."""
        known = self.is_own(origin) and any(one.name.startswith(place_of(origin)[:16]) for one in self.splits())
        return known or (self.is_own(origin) and (is_closing(self.home) or is_restored(self.home)))

    def _evidence(self, origin: str, split: SplitView) -> dict[str, Any] | None:
        """The fields that convict the ledger's key to anybody; None where these two heads do not, by themselves."""
        key = self.charter.origins[origin].key
        try:
            heads = [verify_head(note, origin, key) for note in (split.ours, split.theirs)]
        except BadNote:
            return None
        first, second = sorted(heads, key=lambda head: head.size)
        log = self.log(origin)
        held = 0 if log is None or split.passed is not None else log.published_size
        if log is not None and 0 < first.size < second.size <= held and log.root(second.size) == second.root:
            path = log.consistency(first.size, second.size)
            split = SplitView(split.message, split.ours, split.theirs, log.root(first.size), path)
        return evidence(split, origin, key)

    def splits(self) -> list[Path]:
        """The folders of all equivocations kept."""
        folder = self.home / "equivocation"
        return sorted(one for one in folder.iterdir() if one.name != "staging") if folder.is_dir() else []

    def _object_path(self, digest: str) -> Path:
        return self.home / "objects" / f"{parse_digest(digest).hex()}.json"

    def put_own(self, path: Path, data: bytes) -> None:
        """Replace a file of this home, whole and durably; the writer's."""
        with durable.translated(path):
            durable.make_folder(path.parent)
            durable.replace(path, data, self.staging, 0o600)


def place_of(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def own_json(path: Path, data: bytes, form: str) -> dict[str, Any]:
    value = parse_canonical(data, str(path), len(data))
    if not isinstance(value, dict) or value.get("format") != form:
        raise DamagedHome(f"{path}: not of the form {form}", "a newer watchword wrote it, or it was changed by hand")
    return value


def _names(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(one.name for one in entries if one.name.endswith(".json")))
    except FileNotFoundError:
        return ()


def _mtime(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return status.st_ino, status.st_mtime_ns, status.st_size
