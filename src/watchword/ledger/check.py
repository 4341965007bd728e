"""The whole of a published ledger, rebuilt from its entries and compared with every tile. Reads; never writes.

* Every entry is hashed once; its hash must stand in its tile, a tile's root in the tile above it, the top in the head.
* Where it is asked for, every body must match the commitment of its leaf, and be signed by the key that it names: the
  Ed25519 half, which says that this is what was signed. Both halves were checked when it was taken in.
* Memory is bounded by the tiles above the leaves (32 bytes for 256 entries) and one bundle, whatever the size.
* Long ledgers are checked in parts, by two processes; a caller who is told of each part can go on after the last one.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from watchword.errors import WatchwordError
from watchword.ledger import durable, leaves
from watchword.ledger.bodies import Bodies
from watchword.ledger.checkpoint import Checkpoint
from watchword.ledger.heads import HeadStore, parse_stored
from watchword.ledger.merkle import frontier_at, leaf_hash, root_of
from watchword.ledger.tiles import WIDTH, BadLedger, BadTile, TileReader, width_at
from watchword.limits import CHECK_PART_BUNDLES, NOTE_BYTES_MAX
from watchword.processes import shared
from watchword.statements.dsse import pae
from watchword.statements.keys import verify_ed25519


class BadBody(WatchwordError):
    """A body in its place that is not what its leaf's statement must be: unreadable, or not signed by its key."""


@dataclass(frozen=True)
class BodyCheck:
    """Where the bodies of a ledger are. ``use``: what the ledger holds. ``keys``: key id to Ed25519 half, if asked."""

    folder: Path
    use: str
    keys: Mapping[str, bytes] = field(default_factory=dict)


def check_ledger(
    folder: Path,
    origin: str,
    stored: HeadStore,
    *,
    bodies: BodyCheck | None = None,
    first: int = 0,
    done: Callable[[int, int], None] = lambda _bundles, _bodies: None,
) -> int:
    """Check everything published of a ledger: bundles, every tile, the root, the stored head; bodies where asked for.

    Args:
        first: the bundle to begin with, where those before it were checked in a run that was cut short.
        done: told, after each part, how many bundles from 0 on are checked, and how many bodies this run found.

    Returns:
        How many bodies were there, among the bundles checked.

    Raises:
        BadLedger: names the first bad entry (``index``) or tile.
        BadTile: a file is missing or malformed.
        DamagedBody, BadBody: names the file, or the leaf.
    """
    note = durable.read(folder / "checkpoint", NOTE_BYTES_MAX)
    if note is None:
        return 0
    head = parse_stored(note, folder / "checkpoint", origin)
    count = -(-head.size // WIDTH)
    parts = [range(at, min(at + CHECK_PART_BUNDLES, count)) for at in range(first, count, CHECK_PART_BUNDLES)]
    there = 0
    for part, found in zip(parts, shared(partial(check_bundles, folder, head, bodies=bodies), parts), strict=True):
        there += found
        done(part.stop, there)
    _check_above(folder, head)
    last_note = stored.read()
    if last_note is not None:
        last = parse_stored(last_note, stored.path, origin)
        if last.size < head.size or (last.size == head.size and last.root != head.root):
            raise BadLedger(f"ledger {origin}: checkpoint and stored head contradict each other")
    return there


def check_bundles(folder: Path, head: Checkpoint, numbers: range, *, bodies: BodyCheck | None = None) -> int:
    """Check bundles with their level-0 tiles and bodies; how many bodies were there. Raises as ``check_ledger``."""
    tiles, there, above = TileReader(folder), 0, list[bytes]()
    store = None if bodies is None else Bodies(bodies.folder)
    for number in numbers:
        width = width_at(0, number, head.size)
        entries = tiles.bundle(number, width)
        row = [leaf_hash(entry) for entry in entries]
        stored = tiles.hashes(0, number, width)
        if row != stored:
            place = next(i for i, (ours, theirs) in enumerate(zip(row, stored, strict=True)) if ours != theirs)
            index = number * WIDTH + place
            raise BadLedger(f"ledger {head.origin}: entry {index} is not the one in its tree", index=index)
        if number % WIDTH == 0 or number == numbers.start:
            above = tiles.hashes(1, number // WIDTH, width_at(1, number // WIDTH, head.size)) if width == WIDTH else []
        if width == WIDTH and above[number % WIDTH] != root_of(row):
            raise _does_not_follow(head, 1, number // WIDTH)
        if bodies is not None and store is not None:
            there += sum(_body(store, bodies, head, number * WIDTH + i, entry) for i, entry in enumerate(entries))
    return there


def _check_above(folder: Path, head: Checkpoint) -> None:
    """Every tile above the leaves follows from those below it (leaves apart), and all of them give the head's root."""
    tiles = TileReader(folder)
    for level in range(7, 0, -1):
        above: list[bytes] = []
        for index in range(-(-(head.size >> 8 * level) // WIDTH)):
            row = tiles.hashes(level, index, width_at(level, index, head.size))
            if len(row) == WIDTH:
                if index % WIDTH == 0:
                    place = level + 1, index // WIDTH
                    above = tiles.hashes(*place, width_at(*place, head.size))
                if above[index % WIDTH] != root_of(row):
                    raise _does_not_follow(head, level + 1, index // WIDTH)
    if frontier_at(tiles.hash_at(head.size), head.size).root() != head.root:
        raise BadLedger(f"ledger {head.origin}: entries do not lead to the root of its checkpoint at size {head.size}")


def _does_not_follow(head: Checkpoint, level: int, index: int) -> BadTile:
    return BadTile(f"ledger {head.origin}: tile {index} of level {level} does not follow from the tiles below it")


def _body(store: Bodies, bodies: BodyCheck, head: Checkpoint, index: int, entry: bytes) -> bool:
    """Whether the body of a leaf is there; what is there is right."""
    found = store.get(leaves.parse(bodies.use, entry, f"{head.origin}, leaf {index}").commitment)
    if found is not None and bodies.keys:
        try:
            envelope = msgspec.json.decode(found[1], type=_Envelope)
            (one,) = envelope.signatures
            if one.keyid in bodies.keys:
                # The commitment holds, so these are the bytes that were parsed in full, and strictly, when they came.
                message = pae(envelope.payloadType, a2b_base64(envelope.payload))
                verify_ed25519(bodies.keys[one.keyid], a2b_base64(one.sig[:88])[:64], message)
        except (WatchwordError, msgspec.DecodeError, ValueError) as error:
            raise BadBody(f"{head.origin}, leaf {index}: {error}", "it counts nowhere; ask who wrote it") from error
    return found is not None


class _Signature(msgspec.Struct):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct):
    payload: str
    payloadType: str
    signatures: list[_Signature]
