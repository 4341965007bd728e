"""One ledger in a folder: one writer, many readers; our own, or a mirror of somebody else's.

    <folder>/checkpoint, tile/…      C2SP tlog-tiles, plain files that any web server can serve
    <folder>/intake, staging/        private: what is acknowledged but not yet in tiles; files being written
    <heads>/<SHA-256 of origin>      the last head, apart from the rest (see ``heads``)

* ``append`` returns when its entries are durable, and not before (one sync for all appends that wait).
* ``publish`` writes tiles, then signs and stores the head, then the checkpoint. After a kill at any point the next
  ``open`` finishes or forgets what was not acknowledged, and never signs anything twice.
* Nothing on disk that contradicts the last head is built upon: ``open`` refuses, by name.
* A mirror has no intake and no key: a foreign head is accepted whole, with the entries that lead to it, or not at all.
* Not here: who the origin's key belongs to (callers verify heads with ``checkpoint.verify_head``), and bodies.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from watchword.errors import WatchwordError
from watchword.ledger import durable, heads, merkle
from watchword.ledger.check import check_ledger
from watchword.ledger.checkpoint import Checkpoint, SplitView, parse_checkpoint, sign_checkpoint
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.group import Append, Group
from watchword.ledger.heads import HeadStore
from watchword.ledger.intake import Intake
from watchword.ledger.merkle import EMPTY_ROOT, BadProof, Frontier, leaf_hash
from watchword.ledger.notes import BadNote, check_name, parse_note
from watchword.ledger.tiles import WIDTH, BadLedger, BadTile, TileReader, grown_files, superseded_partials
from watchword.limits import (
    ENTRY_BYTES_MAX,
    INTAKE_BYTES_KEPT_MAX,
    NOTE_BYTES_MAX,
    PENDING_BYTES_MAX,
    PENDING_ENTRIES_MAX,
)
from watchword.statements.keys import SigningKey


class RolledBack(BadLedger):
    """The folder is older than the last head that was signed from it: restored from a backup or a snapshot.

    Going on under this origin would fork it. The way on is a new origin.
    """


class NoLedger(WatchwordError):
    """There is no such ledger, or there is one already, or it is not of the kind that was asked for."""


class Log:
    """An open ledger. Made by ``create``, ``open``; closed by ``close`` or as a context manager.

    Every method may be called from many threads. ``size`` counts durable entries, ``published_size`` those under the
    checkpoint on disk; proofs and heads speak of the latter.
    """

    def __init__(self, folder: Path, origin: str, heads_folder: Path) -> None:
        self.folder = folder
        self.origin = origin
        self._heads = HeadStore(heads_folder, origin)
        self.staging = folder / "staging"
        self._tiles = TileReader(folder)
        self._mutex = threading.Lock()
        self._group = Group(self._mutex, self._commit)
        self._named: set[Path] = set()
        self._locks: list[durable.Lock] = []
        self._intake: Intake | None = None
        self._pending: list[bytes] = []
        self._pending_hashes: list[bytes] = []
        self._pending_bytes = 0
        self._frontier = Frontier()
        self._head = Checkpoint(origin, 0, EMPTY_ROOT)
        self._stored = b""
        self._refusal = "it is open for reading only"
        self._cut_short = False

    # -- opening ----------------------------------------------------------------------------------

    @classmethod
    def create(cls, folder: Path, origin: str, heads_folder: Path, *, mirror: bool = False) -> Log:
        """Begin a ledger and open it for writing.

        Args:
            folder: its folder; made if missing.
            origin: its C2SP origin, unique for ever; also the key name of its signatures.
            heads_folder: where the last head is kept, apart from *folder* and never restored with it.
            mirror: of a foreign ledger: no entries of our own, heads only through ``extend_mirror``.

        Raises:
            NoLedger: this origin was begun here before, or the folder holds a ledger.
            BadNote: the origin cannot be a key name.
            Busy, StorageTrouble: another writer; the disk.
        """
        check_name(origin, "origin")
        log = cls(folder, origin, heads_folder)
        try:
            log._lock()
            if log._heads.read() is not None:
                raise NoLedger(f"ledger {origin} was begun here before", "a ledger is created once; open it instead")
            if (folder / "checkpoint").exists() or (folder / "tile").exists():
                raise NoLedger(
                    f"{folder} holds a ledger whose last head is not in {heads_folder}",
                    "without the stored head nothing may be signed under its origin; begin a new origin elsewhere",
                )
            # An empty intake is left by a create that was killed: the head store, written last, makes a ledger.
            if (folder / "intake").exists() and Intake(folder / "intake", origin).next_index:
                raise NoLedger(f"{folder} holds entries of a ledger whose head store is lost", "begin a new origin")
            with durable.translated(folder):
                if mirror:
                    durable.replace(folder / "mirror", b"", log.staging, 0o600)
                else:
                    Intake.create(folder / "intake", origin, 0, log.staging)
                log._heads.swap(None, log._head.format().encode())
            log._recover()
        except BaseException:
            log.close()
            raise
        return log

    @classmethod
    def open(cls, folder: Path, origin: str, heads_folder: Path, writable: bool) -> Log:
        """Open a ledger; for writing, also repair what a kill left behind.

        1. The head store knows this origin, and the tiles on disk lead to the stored head's root.
        2. The checkpoint on disk is the stored head or one before it (it is then replaced by the stored head).
        3. The intake is whole up to its last group and agrees with the tiles. A torn last group is dropped.

        Raises:
            NoLedger: nothing here under this origin.
            RolledBack: the folder is older than the stored head.
            BadLedger: folder, intake and stored head contradict each other; DamagedIntake, BadTile: say where.
            Busy, StorageTrouble: another writer; the disk.
        """
        if not folder.is_dir():
            raise NoLedger(f"{folder}: no ledger here", "create it first")
        log = cls(folder, origin, heads_folder)
        if not writable:
            log._refresh()
            return log
        try:
            log._lock()
            log._recover()
        except BaseException:
            log.close()
            raise
        return log

    def close(self) -> None:
        """Let go of the files and the writer's lock. Acknowledged entries stay, published or not."""
        with self._mutex:
            if self._intake:
                self._intake.close()
                self._intake = None
            for lock in self._locks:
                lock.close()
            self._locks = []
            self._refusal = "it is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading ----------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Durable entries. A reader sees only published ones."""
        return self._frontier.size if self._locks else self.published_size

    @property
    def published_size(self) -> int:
        """Entries under the checkpoint on disk."""
        if not self._locks:
            self._refresh()
        return self._head.size

    @property
    def mirror(self) -> bool:
        """Whether this is a mirror of a foreign ledger."""
        return (self.folder / "mirror").exists()

    def checkpoint(self) -> bytes | None:
        """The signed note on disk with the cosignatures merged into it; None before the first ``publish``."""
        return durable.read(self.folder / "checkpoint", NOTE_BYTES_MAX)

    def entry(self, index: int) -> bytes:
        """The entry at *index*, published or (for the writer) only durable."""
        return self.entries(index, index + 1)[0]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries [start, stop).

        Raises:
            NoLedger: beyond the end.
            BadTile: a bundle is missing or malformed.
        """
        if not 0 <= start <= stop or (stop > self._head.size and stop > self.size):
            raise NoLedger(f"ledger {self.origin} has {self.size} entries, not those from {start} to {stop}")
        with self._mutex:
            head = self._head.size
            tail = self._pending[max(start - head, 0) : max(stop - head, 0)]
        stop = min(stop, head)
        found: list[bytes] = []
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            first = number * WIDTH
            bundle = self._tiles.bundle(number, min(WIDTH, head - first))
            found += bundle[max(start - first, 0) : stop - first]
        return found + tail

    def root(self, size: int) -> bytes:
        """The root of the published tree at *size* leaves, from the tiles."""
        self._require_published(size)
        return merkle.frontier_at(self._tiles.hash_at(self._head.size), size).root()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry *index* is in the published tree of *size* leaves (RFC 9162, 2.1.3.1).

        Raises:
            NoLedger: beyond what is published.
            BadTile: a tile is missing or malformed.
        """
        self._require_published(size)
        if not 0 <= index < size:
            raise NoLedger(f"ledger {self.origin} has no entry {index} at size {size}")
        return merkle.inclusion_path(self._tiles.hash_at(self._head.size), index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the published tree of *new* leaves extends that of *old* (RFC 9162, 2.1.4.1); empty for old 0.

        Raises:
            NoLedger: beyond what is published, or *old* above *new*.
            BadTile: a tile is missing or malformed.
        """
        self._require_published(new)
        if not 0 <= old <= new:
            raise NoLedger(f"ledger {self.origin}: size {new} cannot extend size {old}")
        return merkle.consistency_path(self._tiles.hash_at(self._head.size), old, new)

    # -- writing ----------------------------------------------------------------------------------

    def append(self, entries: Sequence[bytes]) -> range:
        """Make *entries* durable, in order, and say at which indices they stand.

        Calls that wait at the same time share one sync. When this returns, the entries survive any kill or power cut;
        when it raises, they are not acknowledged (a kill in between may still have kept them: look before repeating).

        Args:
            entries: each at most ENTRY_BYTES_MAX bytes.

        Raises:
            NoLedger: open for reading only, closed, or a mirror.
            BadLedger: an entry is too large, or too much waits for ``publish``.
            StorageTrouble: the disk. The ledger is intact.
        """
        for entry in entries:
            if len(entry) > ENTRY_BYTES_MAX:
                raise BadLedger(f"entry has {len(entry):,} bytes, the limit is {ENTRY_BYTES_MAX:,}", "put it in a body")
        return self._group.submit(Append(entries, [leaf_hash(entry) for entry in entries]))

    def publish(self, key: SigningKey, time_s: int = 0) -> bytes:
        """Put what is durable into tiles, sign the head, store it, and write the checkpoint last.

        With nothing new since the last one, the present checkpoint stands.

        Args:
            key: the ledger key, level 44.
            time_s: POSIX seconds stated in the log's own 06 line; 0 states none.

        Returns:
            The signed note.

        Raises:
            NoLedger: open for reading only, closed, or a mirror.
            HeadMoved: the stored head changed under us.
            StorageTrouble: the disk. Acknowledged entries are safe; the next write finishes or forgets this one.
        """
        with self._mutex:
            intake = self._own_intake()
            present = self.checkpoint()
            if present is not None and self._frontier.size == self._head.size:
                return present
            head = Checkpoint(self.origin, self._frontier.size, self._frontier.root())
            with self._finishing():
                self._write_tiles(self._pending, self._pending_hashes)
                self._accept(head, sign_checkpoint(head, key, time_s))
                if intake.bytes > INTAKE_BYTES_KEPT_MAX:
                    self._restart_intake()
            return self._stored

    def extend_mirror(self, start: int, entries: Sequence[bytes], note: bytes) -> None:
        """Accept a foreign head with the entries that lead to it, all or nothing.

        The caller has verified who signed *note* (``checkpoint.verify_head``): only then does SplitView convict.

        Args:
            start: index of the first of *entries*; at most our size. Entries that we hold already are compared.
            entries: everything from *start* to the note's size.
            note: the signed head.

        Raises:
            SplitView: the new head and ours cannot both be true. Carries both notes; nothing changed.
            BadProof: the entries do not reach the note's size, or do not lead to its root. Convicts nobody.
            BadNote: malformed, or of another origin.
            NoLedger: not a mirror, or open for reading only.
        """
        head = parse_checkpoint(parse_note(note).text)
        if head.origin != self.origin:
            raise BadNote(f"checkpoint is of {head.origin!r}, not of {self.origin!r}")
        if any(len(entry) > ENTRY_BYTES_MAX for entry in entries):
            raise BadProof(f"an entry for {self.origin} is larger than {ENTRY_BYTES_MAX:,} bytes")
        with self._mutex:
            self._writable()
            if self._intake:
                raise NoLedger(f"ledger {self.origin} is our own, not a mirror", "its heads come from publish alone")
            ours = self.checkpoint()
            if ours is not None and head.size <= self._head.size:
                if self._proven_root(head.size) != head.root:
                    raise self._split(head, ours, note)
                return
            if not 0 <= start <= self._head.size or start + len(entries) != head.size:
                raise BadProof(
                    f"{len(entries)} entries from {start} on do not lead from size {self._head.size} to {head.size}",
                    f"ask for the entries from {self._head.size} on",
                )
            fresh = self._proven_hashes(start, entries, head, ours, note)
            with self._finishing():
                self._write_tiles(entries[self._head.size - start :], fresh)
                self._accept(head, note)

    def set_checkpoint(self, note: bytes) -> None:
        """Store the present head with more cosignatures (see ``checkpoint.merge``).

        Raises:
            BadNote: another head than the present one, or a line of the log itself is missing.
            NoLedger, StorageTrouble: as above.
        """
        given = parse_note(note)
        with self._mutex:
            self._writable()
            present = parse_note(self.checkpoint() or b"")
            if given.text != present.text:
                raise BadNote(f"cosignatures are over another head than {self.origin} at size {self._head.size}")
            if not {line for line in present.signatures if line.name == self.origin} <= set(given.signatures):
                raise BadNote(f"checkpoint of {self.origin} lost its own signature")
            with self._finishing():
                durable.replace(self.folder / "checkpoint", note, self.staging)

    def accept_tiles(self, note: bytes) -> None:
        """Accept a foreign head whose tiles and bundles lie in the folder already, each verified under it (``pull``).

        Raises:
            SplitView: the new tree does not pass through our head. Carries both notes; nothing changed.
            BadProof, BadTile: the tiles on the new edge do not lead to its root, or are not there. Convicts nobody.
            BadNote, NoLedger: as ``extend_mirror``.
        """
        head = parse_checkpoint(parse_note(note).text)
        with self._mutex:
            self._writable()
            if self._intake or head.origin != self.origin or head.size <= self._head.size:
                raise NoLedger(f"ledger {self.origin} is no mirror that a head at size {head.size} would extend")
            at = self._tiles.hash_at(head.size)
            if merkle.frontier_at(at, head.size).root() != head.root:
                raise BadProof(f"tiles of {self.origin} do not lead to the root of its head at size {head.size}")
            ours, old = self.checkpoint(), self._head.size
            if ours is not None and old and (passed := merkle.frontier_at(at, old).root()) != self._head.root:
                # What convicts is a proof, not a tile: the new head must provably pass our size under another root.
                path = merkle.consistency_path(at, old, head.size)
                merkle.verify_consistency(old, passed, head.size, head.root, path)
                raise self._split(head, ours, note, passed, path)
            with self._finishing():
                self._accept(head, note)

    def check(self) -> None:  # as check_ledger says
        check_ledger(self.folder, self.origin, self._heads)

    # -- inside -----------------------------------------------------------------------------------

    def _commit(self, group: list[Append]) -> None:
        """Make the entries of waiting appends durable with one sync, and give each its range or its trouble."""
        try:
            intake = self._own_intake()
        except WatchwordError as error:
            for waiting in group:
                waiting.trouble = error
            return
        taken: list[Append] = []
        first, count, size_bytes = self._frontier.size, len(self._pending), self._pending_bytes
        for waiting in group:
            more_bytes = sum(map(len, waiting.entries))
            if count + len(waiting.entries) > PENDING_ENTRIES_MAX or size_bytes + more_bytes > PENDING_BYTES_MAX:
                waiting.trouble = BadLedger(f"ledger {self.origin}: too much waits for publication", "publish first")
            else:
                count, size_bytes = count + len(waiting.entries), size_bytes + more_bytes
                taken.append(waiting)
        entries = [entry for waiting in taken for entry in waiting.entries]
        hashes = [leaf for waiting in taken for leaf in waiting.hashes]
        # Until memory has followed the disk: an interrupt in between makes the next write begin with recovery.
        self._cut_short = True
        try:
            if entries:
                intake.append(entries, hashes)
        except OSError as error:
            for waiting in taken:
                waiting.trouble = StorageTrouble(f"ledger {self.origin}: {error.strerror}", "nothing was acknowledged")
            return
        for waiting in taken:
            waiting.taken = range(first, first + len(waiting.entries))
            first += len(waiting.entries)
        for leaf in hashes:
            self._frontier.append(leaf)
        self._pending += entries
        self._pending_hashes += hashes
        self._pending_bytes = size_bytes
        self._cut_short = False

    def _writable(self) -> None:
        if self._refusal:
            raise NoLedger(f"ledger {self.origin} cannot be written: {self._refusal}")
        self._locks[0].check()
        if self._cut_short:
            self._recover()

    def _own_intake(self) -> Intake:
        self._writable()
        if self._intake is None:
            raise NoLedger(f"ledger {self.origin} is a mirror", "it takes no entries of its own and signs nothing")
        return self._intake

    @contextmanager
    def _finishing(self) -> Iterator[None]:
        """Around the steps of a publication: whatever cuts them short, the next write begins with recovery."""
        self._cut_short = True
        with durable.translated(self.folder):
            yield
        self._cut_short = False

    def _write_tiles(self, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Write every tile and bundle that *entries* after the present head change. Nothing points to them yet."""
        files = grown_files(self._tiles, self._head.size, entries, hashes)
        durable.replace_many(self.folder, files, self.staging, named=self._named)

    def _accept(self, head: Checkpoint, note: bytes) -> None:
        """Store the head, then the checkpoint; tiles for it are durable. Only then is it the present one."""
        self._heads.swap(self._stored, note)
        self._stored = note
        durable.replace(self.folder / "checkpoint", note, self.staging)
        old, self._head = self._head, head
        if self._frontier.size != head.size:
            self._frontier = merkle.frontier_at(self._tiles.hash_at(head.size), head.size)
        self._pending, self._pending_hashes, self._pending_bytes = [], [], 0
        for path in superseded_partials(old.size, head.size):
            shutil.rmtree(self.folder / path, ignore_errors=True)

    def _restart_intake(self) -> None:
        """Begin an empty intake: all that the old one holds is in tiles under the stored head."""
        if self._intake:
            self._intake.close()
        Intake.create(self.folder / "intake", self.origin, self._head.size, self.staging)
        self._intake = Intake(self.folder / "intake", self.origin)

    def _split(self, head: Checkpoint, ours: bytes, theirs: bytes, *proof: Any) -> SplitView:
        return SplitView(
            f"two heads of {self.origin} contradict each other: ours at size {self._head.size}, another at {head.size}",
            ours, theirs, *proof,
        )  # fmt: skip

    def _proven_root(self, size: int) -> bytes:
        """The root at an older size, proven under our head: a damaged tile of ours must not convict anybody."""
        root = self.root(size)
        try:
            if size:
                merkle.verify_consistency(
                    size, root, self._head.size, self._head.root, self.consistency(size, self._head.size)
                )
        except BadProof as error:
            raise BadLedger(f"ledger {self.origin}: tiles do not lead to its head: {error.message}") from error
        return root

    def _proven_hashes(
        self, start: int, entries: Sequence[bytes], head: Checkpoint, ours: bytes | None, note: bytes
    ) -> list[bytes]:
        """The leaf hashes that are new to us, once *entries* are known to lead to *head* and through our own."""
        frontier = merkle.frontier_at(self._tiles.hash_at(self._head.size), start)
        hashes = [leaf_hash(entry) for entry in entries]
        through_ours = True
        for leaf in hashes:
            frontier.append(leaf)
            if frontier.size == self._head.size:
                through_ours = frontier.root() == self._head.root
        if frontier.root() != head.root:
            raise BadProof(
                f"entries of {self.origin} do not lead to the root of its head at size {head.size}",
                "ask again, or ask another member; this alone proves nothing against the ledger",
            )
        if not through_ours and ours is not None:
            # These entries do lead to the new signed head, and pass our signed size under another root.
            raise self._split(head, ours, note)
        return hashes[self._head.size - start :]

    # -- opening and repair -----------------------------------------------------------------------

    def _lock(self) -> None:
        with durable.translated(self.folder):
            durable.make_folder(self.folder)
            self.staging.mkdir(mode=0o700, exist_ok=True)
        self._locks.append(durable.Lock(self.staging / "lock", f"ledger {self.origin}"))
        self._locks.append(self._heads.lock())
        self.staging = self._locks[0].term_in(self.staging)
        self._refusal = ""

    def _recover(self) -> None:
        """Bring memory and disk to the last state that was acknowledged; the numbers are those of ``open``."""
        self._heads.sync()
        stored = self._heads.read()
        if stored is None:
            raise NoLedger(
                f"{self.folder}: the head store knows no ledger {self.origin}",
                "a lost head store retires the origin: begin a new ledger under a new one",
            )
        head = heads.parse_stored(stored, self._heads.path, self.origin)
        note = self.checkpoint()
        present = None if note is None else heads.parse_stored(note, self.folder / "checkpoint", self.origin)
        # 1. Tiles lead to the stored head.
        self._frontier = self._frontier_of(head, present)
        self._head, self._stored = head, stored
        # 2. The checkpoint is the stored head, or an earlier one.
        signed = heads.is_signed(stored)
        if present and (not signed or present.size > head.size or self.root(present.size) != present.root):
            raise BadLedger(
                f"ledger {self.origin}: checkpoint at size {present.size} and stored head at {head.size} contradict",
                "the head store may have been put back; compare both with a mirror before anything is signed",
            )
        with durable.translated(self.folder):
            durable.sync_folder(self.folder)
            if signed and (present is None or present.size < head.size):
                durable.replace(self.folder / "checkpoint", stored, self.staging)
            # 3. The intake is whole and agrees with the tiles.
            self._replay()
        self._cut_short = False

    def _replay(self) -> None:
        """Read the intake: compare what is in tiles already, and hold the rest as pending."""
        if self._intake:
            self._intake.settle()
            self._intake.close()
            self._intake = None
        self._pending, self._pending_hashes, self._pending_bytes = [], [], 0
        if self.mirror:
            return
        size = self._head.size
        intake = self._intake = Intake(self.folder / "intake", self.origin)
        if intake.base > size:
            raise BadLedger(f"ledger {self.origin}: intake begins at {intake.base}, the stored head is at {size}")
        leaf_at = self._tiles.hash_at(size)
        for index in range(intake.base, min(size, intake.next_index)):
            if leaf_at(0, index) != intake.hashes[index - intake.base]:
                raise BadLedger(f"ledger {self.origin}: entry {index} differs between intake and tiles", index=index)
        self._pending = intake.entries[size - intake.base :]
        self._pending_hashes = intake.hashes[size - intake.base :]
        self._pending_bytes = sum(map(len, self._pending))
        for leaf in self._pending_hashes:
            self._frontier.append(leaf)
        intake.release()
        if intake.next_index < size:
            self._restart_intake()

    def _frontier_of(self, head: Checkpoint, present: Checkpoint | None) -> Frontier:
        try:
            frontier = merkle.frontier_at(self._tiles.hash_at(head.size), head.size)
        except BadTile as error:
            if present is None or present.size < head.size:
                raise RolledBack(
                    f"ledger {self.origin}: folder ends at size {present.size if present else 0}, "
                    f"a head was signed at {head.size}",
                    "the folder was put back from an earlier copy; go on under a new one: watchword ledger init --anew",
                ) from error
            raise
        if frontier.root() != head.root:
            raise BadLedger(f"ledger {self.origin}: tiles do not lead to the stored head at size {head.size}")
        return frontier

    def _refresh(self) -> None:
        """For a reader: the checkpoint as it is on disk now."""
        note = self.checkpoint()
        if note is not None:
            self._head = heads.parse_stored(note, self.folder / "checkpoint", self.origin)
        elif not self.mirror and not (self.folder / "intake").exists():
            raise NoLedger(f"{self.folder}: no ledger here", "create it first")

    def _require_published(self, size: int) -> None:
        if size > self._head.size and size > self.published_size:
            raise NoLedger(f"ledger {self.origin} is published up to size {self._head.size}, not {size}")
