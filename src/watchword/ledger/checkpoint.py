"""Heads of ledgers: signed by the log, cosigned by witnesses, merged. Pure: bytes in, nothing read, nothing written.

Follows c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature; docs/protocol.md, section 6 (suite 1). Vectors:
mldsa-cosignature, c2sp-examples, sunlight-skylight, sigsum-go.

* A log signs twice under its origin: type 01 (Ed25519 over the text) and 06 (ML-DSA-44 over the head). Both or nothing.
* A witness cosigns twice under its name: 04 and 06. It counts when both verify; its time is the smaller of the two.
* A line of a known key that does not verify refuses the whole note. Lines of unknown keys are ignored.
* The last lines that verified are remembered: a head is looked at by many, its signatures are verified once.
* A head of suite 1 has no extension lines: the 06 line would not cover them.
* Not decided here: how many witnesses are enough, and how old is too old (see ``charter``).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from watchword.errors import WatchwordError
from watchword.ledger import notes
from watchword.ledger.merkle import HASH_BYTES
from watchword.ledger.notes import BadNote, Note, NoteSignature, key_id, parse_note
from watchword.limits import NOTE_LINES_MAX, ORIGIN_BYTES_MAX, TREE_SIZE_MAX
from watchword.statements.digests import b64, unb64
from watchword.statements.keys import BadSignature, PublicKey, SigningKey, verify_ed25519, verify_mldsa

_TIME_MAX = 2**63 - 1
_LEVEL = 44


class SplitView(WatchwordError):
    """Two signed heads of one origin that cannot both be true. Carries both notes, as evidence.

    Where their sizes differ, the notes convict together with what the tree of the larger head has at the smaller size:
    ``passed``, another root than the smaller head states, and ``path``, the consistency proof from it.
    """

    def __init__(
        self, message: str, ours: bytes, theirs: bytes, passed: bytes | None = None, path: Sequence[bytes] = ()
    ) -> None:
        super().__init__(message, "keep both signed heads: together they convict whoever signed them")
        self.ours = ours
        self.theirs = theirs
        self.passed = passed
        self.path = tuple(path)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a ledger: ``size`` leaves under ``root`` (32 bytes). ``extensions`` are kept for foreign logs."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def format(self) -> str:
        """The note text of this head; ``parse_checkpoint`` reads it back."""
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), b64(self.root), *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a head (tlog-checkpoint, "Note text").

    Raises:
        BadNote: malformed; says which line.
    """
    lines = text.split("\n")
    if lines.pop() != "" or len(lines) < 3:
        raise BadNote("checkpoint has fewer than three whole lines")
    if "" in lines:
        raise BadNote(f"checkpoint line {lines.index('') + 1} is empty")
    origin, size_text, root_text, *extensions = lines
    if len(origin.encode()) > ORIGIN_BYTES_MAX:
        raise BadNote(f"checkpoint origin is longer than {ORIGIN_BYTES_MAX} bytes")
    size = parse_size(size_text, f"size in the checkpoint of {origin}")
    try:
        root = unb64(root_text, f"root in the checkpoint of {origin}")
    except WatchwordError as error:
        raise BadNote(error.message) from error
    if len(root) != HASH_BYTES:
        raise BadNote(f"root in the checkpoint of {origin} has {len(root)} bytes, not {HASH_BYTES}")
    return Checkpoint(origin, size, root, tuple(extensions))


def parse_size(text: str, what: str) -> int:
    """A tree size: ASCII decimal without leading zeros, at most TREE_SIZE_MAX. Raises BadNote, naming *what*."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 19 or (text[0] == "0" and text != "0"):
        raise BadNote(f"{what} is {text[:40]!r}, not a decimal number without leading zeros")
    if int(text) > TREE_SIZE_MAX:
        raise BadNote(f"{what} is {text}, the largest is {TREE_SIZE_MAX}")
    return int(text)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey, time_s: int = 0) -> bytes:
    """The log's own signed note over its head: a 01 and a 06 line under the origin.

    Args:
        key: level 44. Its 06 half signs as a cosigner of its own log (tlog-cosignature).
        time_s: POSIX seconds for the 06 line: *this was my largest tree then*. 0 makes no statement about time.

    Raises:
        BadNote: the origin cannot be a key name, or there are extension lines (06 would not cover them).
    """
    origin = checkpoint.origin
    notes.check_name(origin, "origin")
    _refuse_extensions(checkpoint)
    text = checkpoint.format()
    ed25519 = NoteSignature(origin, key_id(origin, notes.ED25519, key.public.ed25519), key.sign_ed25519(text.encode()))
    return Note(text, (ed25519, _sign_mldsa(checkpoint, origin, key, time_s))).format()


def cosign(note: bytes, witness_name: str, key: SigningKey, time_s: int) -> bytes:
    """A witness's two lines (04, 06; one time) over the head in *note*, as tlog-witness answers with them.

    The caller has verified the head and that it extends what this witness cosigned before.

    Args:
        time_s: POSIX seconds, above 0.

    Raises:
        BadNote: *note* is not a checkpoint, or the name cannot be a key name.
    """
    notes.check_name(witness_name, "name of the witness")
    if not 0 < time_s <= _TIME_MAX:
        raise BadNote(f"cosignature time {time_s} is not a time", "check the clock of this machine")
    parsed = parse_note(note)
    checkpoint = parse_checkpoint(parsed.text)
    stamp = struct.pack(">Q", time_s)
    signed = stamp + key.sign_ed25519(cosigned_text(parsed.text, time_s))
    ed25519 = NoteSignature(witness_name, key_id(witness_name, notes.ED25519_COSIGNATURE, key.public.ed25519), signed)
    return (ed25519.line() + _sign_mldsa(checkpoint, witness_name, key, time_s).line()).encode()


def cosigned_text(text: str, time_s: int) -> bytes:
    """What a 04 line signs: two header lines, then the whole note text, extension lines included."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosigned_head(cosigner: str, time_s: int, checkpoint: Checkpoint) -> bytes:
    """What a 06 line signs: ``cosigned_message`` of tlog-cosignature for a whole tree (start 0)."""
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(name)]) + name,
            struct.pack(">Q", time_s),
            bytes([len(origin)]) + origin,
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        )
    )


def verify_head(note: bytes, origin: str, log_key: PublicKey) -> Checkpoint:
    """Check that *note* is a head of *origin*, signed by *log_key* with both halves.

    1. It parses as a signed note (``notes.parse_note``) with a checkpoint as its text.
    2. Its origin is *origin*, and it has no extension lines.
    3. Every line of the log's key verifies, and there is at least one of type 01 and one of type 06.

    Raises:
        BadNote: names the first of these that fails.
    """
    parsed = parse_note(note)
    checkpoint = parse_checkpoint(parsed.text)
    if checkpoint.origin != origin:
        raise BadNote(f"checkpoint is of {checkpoint.origin!r}, not of {origin!r}")
    _refuse_extensions(checkpoint)
    kinds = (notes.ED25519, notes.MLDSA44_COSIGNATURE)
    lines = {kind: _times(parsed, checkpoint, origin, kind, log_key) for kind in kinds}
    for kind, found in lines.items():
        if not found:
            raise BadNote(f"checkpoint of {origin} at size {checkpoint.size} lacks a {kind:02x} line of its log key")
    return checkpoint


def cosignatures(note: bytes, witnesses: Mapping[str, PublicKey]) -> dict[str, int]:
    """Which of *witnesses* cosigned the head in *note*, with the POSIX second of each.

    A witness counts when a 04 and a 06 line of its key are there with a time above 0; of several lines of one type the
    newest counts, of the two types the smaller. The log's own signatures are not looked at.

    Args:
        witnesses: key name to public key (level 44).

    Raises:
        BadNote: malformed, or a line of a known key does not verify.
    """
    parsed = parse_note(note)
    checkpoint = parse_checkpoint(parsed.text)
    times = {}
    for name, key in witnesses.items():
        ed25519 = _times(parsed, checkpoint, name, notes.ED25519_COSIGNATURE, key)
        mldsa = _times(parsed, checkpoint, name, notes.MLDSA44_COSIGNATURE, key)
        time_s = min(max(ed25519.values(), default=0), max(mldsa.values(), default=0))
        if time_s > 0:
            times[name] = time_s
    return times


def merge(ours: bytes, theirs: bytes, witnesses: Mapping[str, PublicKey]) -> bytes:
    """*ours* with the verified cosignatures that *theirs* adds for the same head.

    Lines of unknown keys in *theirs* are not taken over; of each witness and type only the newest line is kept, so
    that a note stays as short as its witnesses are few.

    Raises:
        BadNote: the texts differ, either note is malformed, or a line of a known key does not verify.
    """
    kept, added = parse_note(ours), parse_note(theirs)
    checkpoint = parse_checkpoint(kept.text)
    if kept.text != added.text:
        raise BadNote(f"cosignatures are over another head than {checkpoint.origin} at size {checkpoint.size}")
    newest: dict[tuple[str, bytes], tuple[int, NoteSignature]] = {}
    for note in (kept, added):
        for name, key in witnesses.items():
            for kind in (notes.ED25519_COSIGNATURE, notes.MLDSA44_COSIGNATURE):
                for line, time_s in _times(note, checkpoint, name, kind, key).items():
                    slot = (name, line.key_id)
                    if time_s > newest.get(slot, (-1, line))[0]:
                        newest[slot] = (time_s, line)
    others = [line for line in kept.signatures if (line.name, line.key_id) not in newest]
    lines = (*others, *(line for _, line in newest.values()))
    if len(lines) > NOTE_LINES_MAX:
        raise BadNote(f"checkpoint of {checkpoint.origin} would have more than {NOTE_LINES_MAX} signature lines")
    return Note(kept.text, lines).format()


def _refuse_extensions(checkpoint: Checkpoint) -> None:
    if checkpoint.extensions:
        raise BadNote(f"checkpoint of {checkpoint.origin} has extension lines, which a head of suite 1 has not")


def _sign_mldsa(checkpoint: Checkpoint, name: str, key: SigningKey, time_s: int) -> NoteSignature:
    if key.public.level != _LEVEL:
        raise BadNote(f"heads are signed with ML-DSA-44, the key of {name} is of level {key.public.level}")
    signature = key.sign_mldsa(cosigned_head(name, time_s, checkpoint))
    identity = key_id(name, notes.MLDSA44_COSIGNATURE, key.public.mldsa)
    return NoteSignature(name, identity, struct.pack(">Q", time_s) + signature)


def _times(note: Note, checkpoint: Checkpoint, name: str, kind: int, key: PublicKey) -> dict[NoteSignature, int]:
    """The lines of *note* made by *key* under *name* with type *kind*, all verified, each with its time (01: 0)."""
    if key.level != _LEVEL:
        raise BadNote(f"heads are verified with ML-DSA-44, the key of {name} is of level {key.level}")
    public = key.mldsa if kind == notes.MLDSA44_COSIGNATURE else key.ed25519
    identity = key_id(name, kind, public)
    times = {}
    for line in note.signatures:
        # Both must match: a foreign key may share the name or the short id, never usefully both (signed-note).
        if line.name == name and line.key_id == identity and line not in times:
            try:
                times[line] = _verified_time(note.text, checkpoint, line, kind, public)
            except BadSignature as error:
                raise BadNote(
                    f"checkpoint of {checkpoint.origin} at size {checkpoint.size}: "
                    f"{kind:02x} line of {name}: {error.message}",
                    "a known key with a bad signature refuses the whole note",
                ) from error
    return times


@lru_cache(maxsize=256)
def _verified_time(text: str, checkpoint: Checkpoint, line: NoteSignature, kind: int, public: bytes) -> int:
    if kind == notes.ED25519:
        verify_ed25519(public, line.signature, text.encode())
        return 0
    if len(line.signature) < 8:
        raise BadSignature(f"signature has {len(line.signature)} bytes, no room for a time")
    time_s = int.from_bytes(line.signature[:8], "big")
    if time_s > _TIME_MAX:
        raise BadSignature(f"time {time_s} is above 2^63 - 1")
    if kind == notes.ED25519_COSIGNATURE:
        verify_ed25519(public, line.signature[8:], cosigned_text(text, time_s))
    else:
        verify_mldsa(_LEVEL, public, line.signature[8:], cosigned_head(line.name, time_s, checkpoint))
    return time_s
