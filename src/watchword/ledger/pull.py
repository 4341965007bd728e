"""The missing part of a foreign ledger, fetched from any node that serves it and verified under a signed head.

Follows c2sp.org/tlog-tiles. Two ways, by how much is missing:

* Up to PULL_TOGETHER_MAX leaves: their entry bundles; the tree over them must have the head's root.
* More: first every tile above the leaves, verified downwards from the head's root; then each bundle, under the hash
  that its tile has there. A bundle is on disk, with its tile, once it is verified; a pull that was cut short goes on
  from there, and two processes share a long one.
* A file that does not fit convicts nobody: it names the peer that served it.
* Only the checkpoint, which the caller puts there last, makes the new leaves count. Who signed is not checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.checkpoint import Checkpoint
from watchword.ledger.fetch import BadAnswer, Remote
from watchword.ledger.leaves import parse as parse_leaf
from watchword.ledger.merkle import (
    HASH_BYTES,
    BadProof,
    consistency_path,
    frontier_at,
    leaf_hash,
    root_of,
    verify_consistency,
)
from watchword.ledger.tiles import (
    BUNDLE_BYTES_MAX,
    WIDTH,
    BadTile,
    TileReader,
    decode_bundle,
    encode_bundle,
    entries_path,
    tile_path,
    width_at,
)
from watchword.limits import PULL_LEAVES_MAX, PULL_WORKERS_MIN
from watchword.processes import shared

_LEAF_BYTES_MAX = 2 + 1 + 2 * HASH_BYTES
"""A leaf in a bundle. Ours are all of one length below this; what is longer is no ledger of an alliance."""

Rows = dict[tuple[int, int], list[bytes]]
"""(level, index) to the hashes of a tile."""


def pull_entries(remote: Remote, prefix: str, held: int, size: int) -> list[bytes]:
    """The entries [*held*, *size*) as *remote* serves them, unverified. For few (PULL_TOGETHER_MAX).

    Raises:
        Unreachable, BadAnswer: not served, or not in the form of bundles.
    """
    entries: list[bytes] = []
    for number in range(held // WIDTH, -(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        found = _bundle(remote, prefix, number, width)
        entries += found[max(held - number * WIDTH, 0) :]
    return entries


def pull_tiles(remote: Remote, prefix: str, folder: Path, staging: Path, held: int, head: Checkpoint, use: str) -> int:
    """Fetch every tile and bundle of *head* that a tree of *held* leaves has not, into *folder*, durably.

    Args:
        folder, staging: of the mirror; its writer's lock is held.
        use: what the ledger may hold (see ``leaves``).

    Returns:
        How many files were not there, or not as they must be, and are now.

    Raises:
        BadProof: a tile or bundle does not fit under the head. What was verified before it stays.
        BadLeaf: an entry is none of ours.
        Unreachable, BadAnswer: not served. StorageTrouble: the disk.
    """
    if head.size - held > PULL_LEAVES_MAX:
        raise BadAnswer(f"{prefix}: {head.size - held:,} new leaves, one run takes {PULL_LEAVES_MAX:,}")
    above = _tiles_above(remote, prefix, held, head)
    numbers = range(held // WIDTH, -(-head.size // WIDTH))
    wanted = [(number, width_at(0, number, head.size), _parent(above, number)) for number in numbers]
    reader = TileReader(folder)
    upper = [
        (tile_path(*place, len(row)), b"".join(row))
        for place, row in above.items()
        if place[0] and not _holds(reader, place, row)
    ]
    with durable.translated(folder):
        durable.replace_many(folder, upper, staging)
    if len(wanted) < PULL_WORKERS_MIN:
        return len(upper) + pull_bundles(remote, prefix, folder, staging, use, wanted)
    half = len(wanted) // 2
    shares = [(staging / "pull-0", wanted[:half]), (staging / "pull-1", wanted[half:])]
    return len(upper) + sum(shared(partial(_share, remote.url, prefix, folder, use), shares))


def passed_at(remote: Remote, prefix: str, held: int, head: Checkpoint) -> tuple[bytes, list[bytes]]:
    """What the tree of *head* has at size *held* (> 0), provably: the root there, and the consistency proof from it.

    Raises:
        BadProof: the tiles served do not lead to the head's root. Unreachable, BadAnswer: not served.
    """
    rows: Rows = {}

    def at(level: int, index: int) -> bytes:
        tile = level // 8, (index << level % 8) // WIDTH
        if tile not in rows:
            rows[tile] = _tile(remote, prefix, *tile, width_at(*tile, head.size))
        return _hash_at(rows)(level, index)

    passed, path = frontier_at(at, held).root(), consistency_path(at, held, head.size)
    verify_consistency(held, passed, head.size, head.root, path)
    return passed, path


def pull_bundles(
    remote: Remote, prefix: str, folder: Path, staging: Path, use: str, wanted: list[tuple[int, int, bytes]]
) -> int:
    """Fetch and write bundles with their level-0 tiles; how many files that were. Raises as ``pull_tiles``.

    Args:
        wanted: (number, width, root over its leaves) of each.
    """
    reader, written = TileReader(folder), 0

    def files() -> Iterator[tuple[str, bytes]]:
        nonlocal written
        for number, width, root in wanted:
            if _kept(reader, number, width, root):
                continue
            entries = _bundle(remote, prefix, number, width)
            for place, entry in enumerate(entries):
                parse_leaf(use, entry, f"{prefix}, leaf {number * WIDTH + place}")
            hashes = [leaf_hash(entry) for entry in entries]
            if root_of(hashes) != root:
                raise BadProof(
                    f"{remote.url}{prefix}{entries_path(number, width)} does not fit under the signed head",
                    "ask another node; this alone proves nothing against the ledger",
                )
            written += 2
            yield entries_path(number, width), encode_bundle(entries)
            yield tile_path(0, number, width), b"".join(hashes)

    with durable.translated(folder):
        durable.replace_many(folder, files(), staging)
    return written


def _share(url: str, prefix: str, folder: Path, use: str, share: tuple[Path, list[tuple[int, int, bytes]]]) -> int:
    staging, wanted = share
    with durable.translated(staging):
        durable.make_folder(staging, 0o700)
    with Remote(url) as remote:
        return pull_bundles(remote, prefix, folder, staging, use, wanted)


def _holds(reader: TileReader, place: tuple[int, int], row: list[bytes]) -> bool:
    try:
        return reader.hashes(*place, len(row)) == row
    except BadTile:
        return False


def _kept(reader: TileReader, number: int, width: int, root: bytes) -> bool:
    """Whether an earlier pull left this very bundle with its tile."""
    try:
        hashes = reader.hashes(0, number, width)
        return root_of(hashes) == root and [leaf_hash(entry) for entry in reader.bundle(number, width)] == hashes
    except BadTile:
        return False


def _bundle(remote: Remote, prefix: str, number: int, width: int) -> list[bytes]:
    data, there = _file(remote, prefix, lambda w: entries_path(number, w), width, WIDTH * _LEAF_BYTES_MAX)
    try:
        return decode_bundle(data, there)[:width]
    except BadTile as error:
        raise BadProof(f"{remote.url}{prefix}{entries_path(number, there)}: {error.message}") from error


def _tiles_above(remote: Remote, prefix: str, held: int, head: Checkpoint) -> Rows:
    """The tiles of every level above the leaves that *head* has and *held* has not, and the last partial one of leaves.

    From the top: the tiles on the right edge must give the head's root; then each full tile below must give the hash
    that stands for it in the tile above.
    """
    rows: Rows = {}
    levels = [level for level in range(8) if head.size >> 8 * level]
    for level in levels:
        last = ((head.size >> 8 * level) - 1) // WIDTH
        first = min((held >> 8 * level) // WIDTH, last) if level else last
        for index in range(first, last + 1):
            width = width_at(level, index, head.size)
            if level or width < WIDTH:
                rows[level, index] = _tile(remote, prefix, level, index, width)
    edge = _hash_at(rows)
    if frontier_at(edge, head.size).root() != head.root:
        raise BadProof(f"{remote.url}{prefix}: tiles do not lead to the root of the head at size {head.size}")
    for (level, index), row in rows.items():
        if len(row) == WIDTH and root_of(row) != _parent(rows, index, level):
            raise BadProof(f"{remote.url}{prefix}{tile_path(level, index)} does not fit under the tile above it")
    return rows


def _parent(rows: Rows, index: int, level: int = 0) -> bytes:
    """What the tile above says that tile *index* of *level* hashes to; of a partial one, what its own hashes do."""
    if (level, index) in rows and len(rows[level, index]) < WIDTH:
        return root_of(rows[level, index])
    return rows[level + 1, index // WIDTH][index % WIDTH]


def _hash_at(rows: Rows) -> Callable[[int, int], bytes]:
    """Complete subtrees, as far as the fetched tiles hold them."""

    def at(level: int, index: int) -> bytes:
        tile_level, inner = divmod(level, 8)
        first = index << inner
        return root_of(rows[tile_level, first // WIDTH][first % WIDTH : first % WIDTH + (1 << inner)])

    return at


def _tile(remote: Remote, prefix: str, level: int, index: int, width: int) -> list[bytes]:
    data, there = _file(remote, prefix, lambda w: tile_path(level, index, w), width, WIDTH * HASH_BYTES)
    if len(data) != there * HASH_BYTES:
        raise BadProof(f"{remote.url}{prefix}{tile_path(level, index, there)} has {len(data):,} bytes")
    return [data[i : i + HASH_BYTES] for i in range(0, width * HASH_BYTES, HASH_BYTES)]


def _file(
    remote: Remote, prefix: str, path_of: Callable[[int], str], width: int, bytes_max: int
) -> tuple[bytes, int]:
    """The file of that width, or, where a partial one is gone, the full one: (bytes, width found)."""
    for there in dict.fromkeys((width, WIDTH)):
        answer = remote.get(prefix + path_of(there), min(bytes_max, BUNDLE_BYTES_MAX))
        if answer.status == 200:
            return answer.body, there
    raise BadAnswer(f"{remote.url}{prefix}{path_of(width)}: status {answer.status}", "ask another node for it")
