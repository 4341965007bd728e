"""A witness: cosigns heads of the ledgers it is told to trust, and never two that disagree.

Follows c2sp.org/tlog-witness (its newest text: 404 for an unknown origin, 422 for an equal size with another root).
Vectors: torchwood-litewitness.

* Per origin it remembers the last head it cosigned. A new one must extend it, by a Merkle proof or by a mirror's tiles.
* The head is on disk before a cosignature leaves; check and storing are one step under a lock. A kill at any moment
  loses at most an answer.
* Times never go back: behind its own last cosignature by more than WITNESS_CLOCK_BACK_S_MAX, it signs nothing.
* A head of suite 1 carries both of its log's signatures; with one of them it is answered like a forgery (403).
* Not here: HTTP, and who is trusted (the charter says).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import (
    Checkpoint,
    SplitView,
    cosign,
    cosignatures,
    parse_checkpoint,
    parse_size,
    verify_head,
)
from watchword.ledger.heads import parse_stored
from watchword.ledger.log import Log, NoLedger
from watchword.ledger.merkle import EMPTY_ROOT, HASH_BYTES, BadProof, verify_consistency
from watchword.ledger.notes import ED25519, MLDSA44_COSIGNATURE, BadNote, Note, check_name, key_id, parse_note
from watchword.ledger.slots import Slots
from watchword.ledger.tiles import BadLedger
from watchword.limits import PROOF_HASHES_MAX, WITNESS_CLOCK_BACK_S_MAX, WITNESS_REQUEST_BYTES_MAX
from watchword.statements.digests import b64, unb64
from watchword.statements.keys import PublicKey, SigningKey
from watchword.statements.times import Clock

_TEXT = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"


class ClockBehind(WatchwordError):
    """The clock lies before this witness's own last cosignature: what it would state could be false."""


class Answer(NamedTuple):
    """An HTTP answer: status, content type, body."""

    status: int
    content_type: str
    body: bytes


class Request(NamedTuple):
    """A parsed add-checkpoint request: the old size, the proof from there, and the signed note."""

    old: int
    proof: list[bytes]
    note: bytes


class Witness:
    """A witness with its key and its memory in *folder*. Many threads and processes may use one folder.

    Args:
        folder: ``<folder>/<SHA-256 of origin>`` holds each last cosigned head (see ``slots``).
        name: the key name of its lines, such as ``witness.example/alfa``.
        key: level 44; signs cosignatures, and requests to other nodes (see ``demand``).
        keep: told when a signed head and the one that was cosigned convict their log (equal size, another root).
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        key: SigningKey,
        clock: Clock,
        keep: Callable[[str, SplitView], None] | None = None,
    ) -> None:
        check_name(name, "name of the witness")
        self.folder = folder
        self.name = name
        self._key = key
        self._clock = clock
        self._keep = keep
        self._mutex = threading.Lock()
        self._slots: dict[str, Slots] = {}
        self._verified: dict[str, tuple[bytes, Checkpoint, int]] = {}

    def add_checkpoint(self, body: bytes, trusted: Mapping[str, PublicKey]) -> Answer:
        """Answer one add-checkpoint request (tlog-witness). The first of these that applies:

        1. 400 malformed. 2. 404 the origin is not in *trusted*. 3. 403 not signed by its key with both halves.
        4. 400 the old size is above the checkpoint's. 5. 409 the old size is not the last we cosigned: it is the body.
        6. 422 the proof does not lead from what we cosigned to this head. 7. 200 with our two signature lines.

        Args:
            body: the request; more than WITNESS_REQUEST_BYTES_MAX bytes are refused unread.
            trusted: origin to the log's public key (level 44).

        Raises:
            ClockBehind, StorageTrouble, BadLedger: nothing was signed; answer 500.
        """
        try:
            request = parse_request(body)
            head = parse_checkpoint(parse_note(request.note).text)
        except BadNote as error:
            return _refusal(400, error)
        if head.origin not in trusted:
            return Answer(404, _TEXT, b"unknown origin\n")
        try:
            verify_head(request.note, head.origin, trusted[head.origin])
        except BadNote as error:
            return _refusal(403, error)
        if request.old > head.size:
            return Answer(400, _TEXT, b"old size is above the size of the checkpoint\n")
        slots = self._open(head.origin)
        with slots.locked():
            stored, last, before_s = self._last(head.origin, slots)
            if request.old != last.size:
                return Answer(409, _SIZE, f"{last.size}\n".encode())
            try:
                _check_extends(last, head, request.proof)
            except BadProof as error:
                if self._keep and stored and head.size == last.size and head.root != last.root:
                    message = f"two signed heads of {head.origin} at size {head.size} have different roots"
                    self._keep(head.origin, SplitView(message, stored, request.note))
                return _refusal(422, error)
            return Answer(200, _TEXT, self._cosign(slots, request.note, head, trusted[head.origin], before_s))

    def cosign_mirror(self, log: Log, log_key: PublicKey) -> bytes:
        """Cosign the head of a mirror that we hold: consistency is computed from its tiles, nobody has to prove it.

        Returns:
            Our two signature lines, for ``checkpoint.merge``.

        Raises:
            NoLedger: the mirror has no head, or an older one than we cosigned.
            BadNote: its head is not signed by *log_key* with both halves.
            SplitView: its head does not extend the one we cosigned. Carries both signed notes.
            BadLedger: its tiles do not lead to its head.
            ClockBehind, StorageTrouble: nothing was signed.
        """
        note = log.checkpoint()
        if note is None:
            raise NoLedger(f"ledger {log.origin} has no head yet", "import one first")
        head = verify_head(note, log.origin, log_key)
        slots = self._open(head.origin)
        with slots.locked():
            stored, last, before_s = self._last(head.origin, slots)
            if head.size < last.size:
                raise NoLedger(
                    f"mirror of {head.origin} is at size {head.size}, we cosigned {last.size}", "bring it up to date"
                )
            passed = log.root(last.size)
            if log.root(head.size) != head.root:
                raise BadLedger(f"mirror of {head.origin}: tiles do not lead to its head at size {head.size}")
            try:
                path = log.consistency(last.size, head.size)
                _check_extends(Checkpoint(head.origin, last.size, passed), head, path)
            except BadProof as error:
                raise BadLedger(f"mirror of {head.origin}: {error.message}") from error
            if stored and passed != last.root:
                raise SplitView(
                    f"head of {head.origin} at size {head.size} does not extend the one we cosigned at {last.size}",
                    stored,
                    note,
                    passed,
                    path,
                )
            return self._cosign(slots, note, head, log_key, before_s)

    def last(self, origin: str) -> bytes | None:
        """The last head of *origin* that we cosigned, with its log's lines and ours; None if there is none.

        Raises:
            BadLedger: the memory is damaged.
        """
        return self._open(origin).read() or None

    def close(self) -> None:
        """Let go of the files."""
        with self._mutex:
            for slots in self._slots.values():
                slots.close()
            self._slots = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside -----------------------------------------------------------------------------------

    def _path(self, origin: str) -> Path:
        return self.folder / sha256(origin.encode()).hexdigest()

    def _open(self, origin: str) -> Slots:
        with self._mutex:
            if origin not in self._slots:
                staging = self.folder / "private" / sha256(origin.encode()).hexdigest()
                with durable.translated(staging):
                    durable.make_folder(staging, 0o700)
                self._slots[origin] = Slots(self._path(origin), staging)
            return self._slots[origin]

    def _last(self, origin: str, slots: Slots) -> tuple[bytes, Checkpoint, int]:
        """What was cosigned last: note, head, and the time in it; the empty tree where there is nothing."""
        stored = slots.read()
        known = self._verified.get(origin)
        if known is None or known[0] != stored:
            # Everything extends the empty tree.
            head = parse_stored(stored, self._path(origin), origin) if stored else Checkpoint(origin, 0, EMPTY_ROOT)
            own = {self.name: self._key.public}
            known = stored, head, cosignatures(stored, own).get(self.name, 0) if stored else 0
            self._verified[origin] = known
        return known

    def _cosign(self, slots: Slots, note: bytes, head: Checkpoint, log_key: PublicKey, before_s: int) -> bytes:
        """Sign, store, and only then hand out. The slots are locked and *head* extends what is stored."""
        now = int(self._clock.now().timestamp())
        if now < before_s - WITNESS_CLOCK_BACK_S_MAX:
            raise ClockBehind(
                f"clock is {before_s - now} s behind the last cosignature over {head.origin}",
                "set the clock of this machine",
            )
        time_s = max(now, before_s)
        lines = cosign(note, self.name, self._key, time_s)
        # Lines of others, and repeats, are left out: this file says what the log signed and what we did.
        parsed, origin = parse_note(note), head.origin
        halves = (ED25519, log_key.ed25519), (MLDSA44_COSIGNATURE, log_key.mldsa)
        own = {(origin, key_id(origin, kind, public)) for kind, public in halves}
        first = {(line.name, line.key_id): line for line in reversed(parsed.signatures)}
        kept = Note(parsed.text, tuple(first[slot] for slot in sorted(own & first.keys()))).format() + lines
        slots.store(kept)
        self._verified[head.origin] = kept, head, time_s
        return lines


def parse_request(body: bytes) -> Request:
    """Read the body of an add-checkpoint request.

    Raises:
        BadNote: malformed; the note itself is not looked into.
    """
    if len(body) > WITNESS_REQUEST_BYTES_MAX:
        raise BadNote(f"request has {len(body):,} bytes, the limit is {WITNESS_REQUEST_BYTES_MAX:,}")
    top, empty, note = body.partition(b"\n\n")
    first, *proof = top.split(b"\n", PROOF_HASHES_MAX + 1)
    if not empty or not first.startswith(b"old ") or len(proof) > PROOF_HASHES_MAX:
        raise BadNote(f"request is not an old size, up to {PROOF_HASHES_MAX} hashes, an empty line and a checkpoint")
    old = parse_size(first[4:].decode("ascii", "replace"), "old size")
    return Request(old, [_parse_hash(line) for line in proof], note)


def format_request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of an add-checkpoint request; ``parse_request`` reads it back."""
    return "".join(f"{line}\n" for line in (f"old {old}", *map(b64, proof), "")).encode() + note


def _parse_hash(line: bytes) -> bytes:
    try:
        found = unb64(line.decode("ascii", "replace"), "proof hash")
    except WatchwordError as error:
        raise BadNote(error.message) from error
    if len(found) != HASH_BYTES:
        raise BadNote(f"proof hash has {len(found)} bytes, not {HASH_BYTES}")
    return found


def _check_extends(last: Checkpoint, head: Checkpoint, proof: Sequence[bytes]) -> None:
    """The rule of tlog-witness, size 0 included. Raises BadProof."""
    if last.size == 0:
        # Everything extends the empty tree, so there is nothing to prove; but there is only one empty tree.
        if proof:
            raise BadProof("a proof from size 0 is empty")
        if head.size == 0 and head.root != EMPTY_ROOT:
            raise BadProof("an empty tree has the empty root")
        return
    verify_consistency(last.size, last.root, head.size, head.root, proof)


def _refusal(status: int, error: WatchwordError) -> Answer:
    return Answer(status, _TEXT, f"{error.message}\n".encode())
