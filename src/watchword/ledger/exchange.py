"""What goes into an exchange file for a member, and what may be taken from one. Pure: the disk is ``node``'s business.

Follows docs/protocol.md, sections 3 (scope), 6 (heads) and 10 (exchange bundles).

* A body leaves only where its own scope allows; an attachment only where every statement that names it allows.
* Heads gather cosignatures by size: the newest with a quorum is kept, and a few newer ones that wait for theirs.
* A foreign head is taken when its entries lead to it and through what we hold; else both signed heads are kept.
* Leaves whose bodies the sender lacks are named, because a relay may pass on a leaf and not its body.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from watchword.charter.charter import Charter
from watchword.charter.quorum import cosigned_time
from watchword.ledger import notes
from watchword.ledger.bundle import BadBundle, LedgerPart
from watchword.ledger.checkpoint import Checkpoint, SplitView, cosignatures, verify_head
from watchword.ledger.merkle import BadProof, Frontier, consistency_path, leaf_hash
from watchword.ledger.notes import Note, NoteSignature, key_id, parse_note
from watchword.limits import MISSING_RANGES_MAX, NOTES_KEPT_MAX
from watchword.statements.digests import parse_digest
from watchword.statements.kinds import Count, Text
from watchword.statements.statement import Signed

MISSING_FORMAT = "watchword-missing/1"

Ranges = tuple[tuple[int, int], ...]
"""Half-open ranges of leaf indices, ascending and apart."""


@dataclass(frozen=True)
class KeptHead:
    """A verified head: its note, the time of each witness on it, and its cosigned time when it has a quorum."""

    checkpoint: Checkpoint
    note: bytes
    times: Mapping[str, int]
    time_s: int | None


def scope_allows(signed: Signed, to: str | None) -> bool:
    """Whether the body of *signed* may go to the member *to* (None: to anybody).

    A scope that this version cannot read allows nobody.
    """
    scope = signed.statement.predicate.get("scope")
    if scope == "public":
        return True
    if to is None:
        return False
    return scope == "alliance" or (isinstance(scope, list) and to in scope)


def attachments(signed: Signed) -> dict[bytes, int | None]:
    """The commitments (32 bytes) of what travels with a statement of a known kind: its attachments, each with its size,
    and its disclosures, whose sizes it does not tell."""
    body = signed.statement.body
    named = (getattr(body, "report", None), getattr(body, "document", None))
    sizes: dict[str, int | None] = {one.commitment: one.bytes for one in named if one is not None}
    sizes |= dict.fromkeys(signed.statement.predicate.get("_sd", ()) if body is not None else ())
    return {parse_digest(digest): size for digest, size in sizes.items()}


def gather(
    charter: Charter,
    origin: str,
    kept: Sequence[KeptHead],
    fresh: Iterable[bytes],
    judge: Callable[[bytes], KeptHead],
) -> tuple[KeptHead, ...]:
    """The heads of *origin* to keep, ascending by size, when *fresh* notes have come in.

    Equal heads are merged. The newest head with a quorum is kept, nothing older, and of those after it the newest
    NOTES_KEPT_MAX.

    Args:
        kept: what was kept before.
        fresh: signed notes whose trees are known to agree with ours.
        judge: ``head_of`` for this origin and moment.

    Raises:
        BadNote: a note is malformed, or a line of a known key does not verify.
    """
    by_text: dict[str, Note] = {}
    for note in (*(head.note for head in kept), *fresh):
        judge(note)
        parsed = parse_note(note)
        by_text[parsed.text] = _merged(charter, origin, (by_text.get(parsed.text, parsed), parsed))
    heads = sorted((judge(note.format()) for note in by_text.values()), key=lambda head: head.checkpoint.size)
    cosigned = [place for place, head in enumerate(heads) if head.time_s is not None]
    if not cosigned:
        return tuple(heads[-NOTES_KEPT_MAX:])
    return (heads[cosigned[-1]], *heads[cosigned[-1] + 1 :][-NOTES_KEPT_MAX:])


def bare(charter: Charter, origin: str, note: bytes) -> bytes:
    """A verified note without the lines of strangers, and with one line of each known key and type, in one order.

    Raises:
        BadNote: malformed.
    """
    parsed = parse_note(note)
    return _merged(charter, origin, (parsed,)).format()


def head_of(charter: Charter, origin: str, note: bytes, now_s: int) -> KeptHead:
    """Verify *note* as a head of *origin* under *charter* and work out its cosigned time.

    Raises:
        BadNote: not signed by the owner's ledger key, or a line of a known key does not verify.
    """
    checkpoint = verify_head(note, origin, charter.origins[origin].key)
    times = cosignatures(note, charter.witness_keys)
    return KeptHead(checkpoint, note, times, cosigned_time(charter, times, now_s))


def check_part(
    part: LedgerPart,
    heads: Sequence[KeptHead],
    held: Checkpoint,
    held_note: bytes | None,
    frontier_at: Callable[[int], Frontier],
) -> int:
    """Check a ledger part of an exchange against what we hold; how many of its entries are new (counted from its end).

    1. The part ends at its head's size.
    2. A head no newer than ours stands in our tree.
    3. Entries that reach further begin no later than ours end, and lead to the new head.
    4. They pass through our own head and every other head of the part.

    Args:
        heads: those of the part, verified, ascending; the last is its checkpoint.
        held: our head of this origin (size 0 and the empty root when we hold none).
        held_note: the signed note of *held*; None when nothing was signed yet.
        frontier_at: our tree at a size of at most ``held.size``.

    Raises:
        SplitView: two signed heads cannot both be true. Carries both notes.
        BadProof: the entries do not lead to the head. Convicts nobody.
    """
    head = heads[-1].checkpoint
    # 1
    if part.start + len(part.entries) != head.size:
        raise BadProof(f"entries of {part.origin} end at {part.start + len(part.entries)}, its head is at {head.size}")
    # 2
    for one in heads:
        size = one.checkpoint.size
        if size <= held.size and frontier_at(size).root() != one.checkpoint.root:
            if held_note is None:
                raise BadProof(f"head of {part.origin} at size 0 has another root than the empty tree")
            raise _split(part.origin, held_note, one)
    if head.size <= held.size:
        return 0
    # 3
    if part.start > held.size:
        raise BadProof(f"entries of {part.origin} begin at {part.start}, we hold {held.size}")
    frontier = frontier_at(part.start)
    before, hashes = frontier.copy(), [leaf_hash(entry) for entry in part.entries]
    wanted = {one.checkpoint.size for one in heads} | {held.size}
    roots: dict[int, bytes] = {}
    for leaf in hashes:
        frontier.append(leaf)
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    if roots[head.size] != head.root:
        raise BadProof(
            f"entries of {part.origin} do not lead to the root of its head at size {head.size}",
            "ask again, or ask another member; this alone proves nothing against the ledger",
        )
    # 4
    if held_note is not None and roots.get(held.size, held.root) != held.root:
        path = consistency_path(before.grown(hashes), held.size, head.size)
        raise _split(part.origin, held_note, heads[-1], roots[held.size], path)
    for one in heads:
        if one.checkpoint.size > held.size and roots[one.checkpoint.size] != one.checkpoint.root:
            path = consistency_path(before.grown(hashes), one.checkpoint.size, head.size)
            raise _split(part.origin, heads[-1].note, one, roots[one.checkpoint.size], path)
    return head.size - held.size


def missing_value(missing: Mapping[str, Ranges]) -> dict[str, Any]:
    """The object that names leaves held without their bodies, at most MISSING_RANGES_MAX ranges."""
    left = MISSING_RANGES_MAX
    ledgers = {}
    for origin in sorted(missing):
        if missing[origin] and left > 0:
            ledgers[origin] = [list(one) for one in missing[origin][:left]]
            left -= len(ledgers[origin])
    return {"format": MISSING_FORMAT, "ledgers": ledgers}


def parse_missing(objects: Iterable[Any], origins: Collection[str]) -> dict[str, Ranges]:
    """What the sender of an exchange lacks; unknown origins are passed over, other objects too.

    Raises:
        BadBundle: an object of that format with another form.
    """
    found: dict[str, Ranges] = {}
    for value in objects:
        if not isinstance(value, dict) or value.get("format") != MISSING_FORMAT:
            continue
        try:
            raw = msgspec.convert(value, _Missing, strict=True)
        except msgspec.ValidationError as error:
            raise BadBundle(f"missing bodies: {error}") from error
        if sum(len(ranges) for ranges in raw.ledgers.values()) > MISSING_RANGES_MAX:
            raise BadBundle(f"missing bodies: more than {MISSING_RANGES_MAX:,} ranges")
        for origin, ranges in raw.ledgers.items():
            if origin in origins:
                found[origin] = _ascending(ranges)
    return found


def ranges_of(indices: Iterable[int]) -> Ranges:
    """Ascending indices as ranges."""
    ranges: list[tuple[int, int]] = []
    for index in indices:
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))
    return tuple(ranges)


def _merged(charter: Charter, origin: str, verified: Iterable[Note]) -> Note:
    """One note for one head: of each known key and type the newest line, in one order, so that equal knowledge is
    equal bytes. All lines of known keys were verified; those of the log itself are kept as they first came."""
    key = charter.origins[origin].key
    own = {key_id(origin, notes.ED25519, key.ed25519), key_id(origin, notes.MLDSA44_COSIGNATURE, key.mldsa)}
    witnesses = {
        (name, identity)
        for name, public in charter.witness_keys.items()
        for identity in (
            key_id(name, notes.ED25519_COSIGNATURE, public.ed25519),
            key_id(name, notes.MLDSA44_COSIGNATURE, public.mldsa),
        )
    }
    text = ""
    chosen: dict[tuple[str, bytes], NoteSignature] = {}
    for note in verified:
        text = note.text
        for line in note.signatures:
            slot = line.name, line.key_id
            before = chosen.get(slot)
            if line.name == origin and line.key_id in own:
                chosen.setdefault(slot, line)
            elif slot in witnesses and (before is None or line.signature[:8] > before.signature[:8]):
                # A cosignature begins with its time, eight bytes big-endian.
                chosen[slot] = line
    return Note(text, tuple(chosen[slot] for slot in sorted(chosen, key=lambda slot: (slot[0] != origin, slot))))


class _Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Text
    ledgers: dict[Text, list[tuple[Count, Count]]]


def _ascending(ranges: Iterable[tuple[int, int]]) -> Ranges:
    end = -1
    for start, stop in ranges:
        # Apart and in order, so that what they ask for is bounded by what the ledger holds.
        if not end < start < stop:
            raise BadBundle("missing bodies: ranges are not ascending and apart")
        end = stop
    return tuple(ranges)


def _split(
    origin: str, ours: bytes, theirs: KeptHead, passed: bytes | None = None, path: Sequence[bytes] = ()
) -> SplitView:
    return SplitView(
        f"two signed heads of {origin} contradict each other; the other is at size {theirs.checkpoint.size}",
        ours,
        theirs.note,
        passed,
        path,
    )
