"""``tlog-proof`` files: one entry's inclusion under a cosigned head, as other transparency tools read it.

Follows c2sp.org/tlog-proof: a first line, an optional ``extra``, the index, the path from leaf to root, an empty line,
and the signed checkpoint as it is. Pure: bytes in, a value out, and back.

* ``extra`` is not authenticated by the format. Ours is the ledger's entry itself, whose hash the path must lead from:
  a salted commitment and nothing that could be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from watchword.charter.charter import Charter
from watchword.charter.quorum import cosigned_time
from watchword.errors import WatchwordError
from watchword.ledger.checkpoint import Checkpoint, cosignatures, parse_checkpoint, verify_head
from watchword.ledger.merkle import BadProof, leaf_hash, verify_inclusion
from watchword.ledger.notes import BadNote, parse_note
from watchword.limits import ENTRY_BYTES_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX, TREE_SIZE_MAX
from watchword.statements.digests import BadDigest, b64, unb64
from watchword.statements.times import from_unix

FIRST_LINE = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
_BYTES_MAX = NOTE_BYTES_MAX + 2 * ENTRY_BYTES_MAX + PROOF_HASHES_MAX * 45 + 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class BadTlogProof(WatchwordError):
    """A file that is no tlog-proof, or does not prove what it should."""


@dataclass(frozen=True)
class TlogProof:
    """``path``: hashes of 32 bytes, leaf to root. ``note``: the signed checkpoint. ``extra``: may be None."""

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def format(self) -> bytes:
        """The file's bytes; ``parse`` reads them back."""
        extra = [] if self.extra is None else [f"extra {b64(self.extra)}"]
        lines = [FIRST_LINE, *extra, f"index {self.index}", *(b64(one) for one in self.path), "", ""]
        return "\n".join(lines).encode() + self.note


def parse(data: bytes, what: str = "proof") -> TlogProof:
    """Read a tlog-proof. The checkpoint is read, not verified.

    Raises:
        BadTlogProof: another form; names *what* and where.
    """
    if len(data) > _BYTES_MAX:
        raise BadTlogProof(f"{what}: {len(data):,} bytes, a tlog-proof has at most {_BYTES_MAX:,}")
    head, found, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if not found or lines[0] != FIRST_LINE:
            raise BadTlogProof(f"{what}: does not begin with {FIRST_LINE}")
        extra = unb64(lines.pop(1)[6:], "extra") if lines[1:] and lines[1].startswith("extra ") else None
        index = lines[1][6:] if lines[1:] and lines[1].startswith("index ") else ""
        if not _NUMBER.fullmatch(index) or int(index) > TREE_SIZE_MAX:
            raise BadTlogProof(f"{what}: no index in its place")
        path = tuple(unb64(line, "path") for line in lines[2 : 3 + PROOF_HASHES_MAX])
        parse_checkpoint(parse_note(note).text)
    except (UnicodeDecodeError, BadDigest, BadNote) as error:
        raise BadTlogProof(f"{what}: {getattr(error, 'message', error)}") from error
    if len(path) > PROOF_HASHES_MAX or any(len(one) != 32 for one in path):
        raise BadTlogProof(f"{what}: a path of more than {PROOF_HASHES_MAX} hashes, or a hash not of 32 bytes")
    return TlogProof(int(index), path, note, extra)


def verify(charter: Charter, proof: TlogProof, entry: bytes, now: datetime) -> tuple[Checkpoint, str]:
    """Check that *entry* stands in a ledger of the charter, under a head that the quorum cosigned.

    Returns:
        The head and its cosigned time.

    Raises:
        BadTlogProof: no shared ledger of the charter, signatures, quorum, or another entry.
    """
    try:
        origin = parse_checkpoint(parse_note(proof.note).text).origin
        if origin not in charter.shared_origins:
            raise BadTlogProof(f"{origin}: no shared ledger of {charter.alliance}")
        head = verify_head(proof.note, origin, charter.origins[origin].key)
        verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.path, head.root)
        time_s = cosigned_time(charter, cosignatures(proof.note, charter.witness_keys), int(now.timestamp()))
    except (BadNote, BadProof) as error:
        raise BadTlogProof(error.message) from error
    if time_s is None:
        raise BadTlogProof(f"head of {origin} at {head.size}: cosigned by fewer than {charter.quorum.witness}")
    return head, from_unix(time_s)
