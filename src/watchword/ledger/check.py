"""The whole of a published ledger, rebuilt from its entries and compared with every tile. Reads; never writes.

* Every entry is hashed once, every tile of every level is compared, and the tiles so proven give the root.
* Memory is bounded by one bundle and one tile per level, whatever the size.
"""

from __future__ import annotations

from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.checkpoint import Checkpoint
from watchword.ledger.heads import HeadStore, parse_stored
from watchword.ledger.merkle import frontier_at, leaf_hash, root_of
from watchword.ledger.tiles import WIDTH, BadLedger, BadTile, TileReader
from watchword.limits import NOTE_BYTES_MAX


def check_ledger(folder: Path, origin: str, stored: HeadStore) -> None:
    """Check everything published of a ledger: bundles, every tile, the root, the stored head.

    Raises:
        BadLedger: names the first bad entry (``index``) or tile.
        BadTile: a file is missing or malformed.
    """
    note = durable.read(folder / "checkpoint", NOTE_BYTES_MAX)
    if note is None:
        return
    head = parse_stored(note, folder / "checkpoint", origin)
    check_tiles(folder, head)
    last_note = stored.read()
    if last_note is not None:
        last = parse_stored(last_note, stored.path, origin)
        if last.size < head.size or (last.size == head.size and last.root != head.root):
            raise BadLedger(f"ledger {origin}: checkpoint and stored head contradict each other")


def check_tiles(folder: Path, head: Checkpoint) -> None:
    """Check that the entries in *folder* lead, through every tile, to *head*.

    Raises:
        BadLedger: names the first bad entry (``index``), or says that only the root differs.
        BadTile: a file is missing or malformed, or a tile above level 0 differs.
    """
    tiles = TileReader(folder)
    # Per level above 0, the hashes of the tile that is filling up.
    rows: list[list[bytes]] = []
    for number in range(-(-head.size // WIDTH)):
        width = min(WIDTH, head.size - number * WIDTH)
        row = [leaf_hash(entry) for entry in tiles.bundle(number, width)]
        _compare_leaves(tiles, number, row, head)
        level = 0
        while len(row) == WIDTH:
            if level == len(rows):
                rows.append([])
            rows[level].append(root_of(row))
            row = rows[level]
            level += 1
            if len(row) == WIDTH:
                _compare(tiles, level, ((number + 1) >> 8 * level) - 1, row, head)
                rows[level - 1] = []
    for level, row in enumerate(rows, 1):
        if row:
            _compare(tiles, level, (head.size >> 8 * level) // WIDTH, row, head)
    if frontier_at(tiles.hash_at(head.size), head.size).root() != head.root:
        raise BadLedger(f"ledger {head.origin}: entries do not lead to the root of its checkpoint at size {head.size}")


def _compare_leaves(tiles: TileReader, number: int, row: list[bytes], head: Checkpoint) -> None:
    for position, (stored, computed) in enumerate(zip(tiles.hashes(0, number, len(row)), row, strict=True)):
        if stored != computed:
            index = number * WIDTH + position
            raise BadLedger(f"ledger {head.origin}: entry {index} is not the one in its tree", index=index)


def _compare(tiles: TileReader, level: int, index: int, row: list[bytes], head: Checkpoint) -> None:
    if tiles.hashes(level, index, len(row)) != row:
        raise BadTile(f"ledger {head.origin}: tile {index} of level {level} does not follow from the tiles below it")
