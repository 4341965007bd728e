"""Tiles and entry bundles of a ledger: their paths, their contents, and reading them from a folder.

Follows c2sp.org/tlog-tiles. Vectors: c2sp-examples, golang-x-mod, sunlight-skylight.

* A tile is 256 hashes; hash i of tile n at level l is the root of the complete subtree over 256^l leaves from
  (256n + i) · 256^l. A partial tile holds the first 1 to 255 of them and is never hashed upwards.
* A bundle is u16 big-endian length and entry, once for each leaf of the level-0 tile of the same number.
* Tiles never change once a head covers them. Where a partial tile is gone, a reader takes the full one's first hashes.
* Not checked here: that tiles lead to a signed root (see ``log``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.ledger.merkle import HASH_BYTES, HashAt, leaf_hash, root_of
from watchword.limits import ENTRY_BYTES_MAX, TILES_CACHED_MAX

WIDTH = 256
LEVEL_MAX = 63
BUNDLE_BYTES_MAX = WIDTH * (2 + ENTRY_BYTES_MAX)

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_INDEX_GROUPS_MAX = 6


class BadLedger(WatchwordError):
    """What is on disk is not the ledger that was acknowledged and signed. ``index``: the first bad entry, if known."""

    def __init__(self, message: str, hint: str = "", index: int | None = None) -> None:
        super().__init__(message, hint or "nothing was changed; restore it from a mirror of this ledger")
        self.index = index


class BadTile(BadLedger):
    """A tile, bundle or path that is missing, malformed or not what the ledger says it is."""


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of tile *index* at *level*, below the ledger's folder: ``tile/<L>/<N>[.p/<W>]``."""
    return f"tile/{level}/{_index_path(index)}{_partial(width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of entry bundle *index*: ``tile/entries/<N>[.p/<W>]``."""
    return f"tile/entries/{_index_path(index)}{_partial(width)}"


def parse_path(path: str) -> tuple[int | None, int, int]:
    """Read a path into (level, index, width); the level of an entry bundle is None.

    Raises:
        BadTile: not the path of a tile or bundle in its only spelling.
    """
    match = _PATH.fullmatch(path)
    groups = match["index"].split("/") if match else []
    # A leading x000 would be a second spelling of a shorter path.
    if not match or len(groups) > _INDEX_GROUPS_MAX or (len(groups) > 1 and groups[0] == "x000"):
        raise BadTile(f"{path[:120]!r} is not the path of a tile")
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"] or WIDTH)
    if (level or 0) > LEVEL_MAX or (match["width"] and width >= WIDTH):
        raise BadTile(f"{path[:120]!r} is not the path of a tile")
    return level, int("".join(group[-3:] for group in groups)), width


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes tile *index* at *level* has in a tree of *size* leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> 8 * level) - WIDTH * index))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries (at most ENTRY_BYTES_MAX bytes each) as they stand in a bundle."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """Read exactly *count* entries from *data*.

    Raises:
        BadTile: cut off, or bytes are left over.
    """
    entries = []
    offset = 0
    for number in range(count):
        start = offset + 2
        offset = start + int.from_bytes(data[offset:start], "big")
        if start > len(data) or offset > len(data):
            raise BadTile(f"entry bundle is cut off in entry {number + 1} of {count}")
        entries.append(data[start:offset])
    if offset != len(data):
        raise BadTile(f"entry bundle has {len(data) - offset:,} bytes after its {count} entries")
    return entries


def grown_tiles(
    old: int, leaf_hashes: Sequence[bytes], edge: Callable[[int, int], list[bytes]]
) -> Iterator[tuple[int, int, list[bytes]]]:
    """The tiles that change when *leaf_hashes* are appended to a tree of *old* leaves, as (level, index, hashes).

    Args:
        edge: ``(level, index)`` to the hashes that the old tree's rightmost tile of that level holds.
    """
    level, first, fresh = 0, old, list(leaf_hashes)
    while fresh:
        index = first // WIDTH
        row = (edge(level, index) if first % WIDTH else []) + fresh
        fresh = []
        for start in range(0, len(row), WIDTH):
            hashes = row[start : start + WIDTH]
            yield level, index + start // WIDTH, hashes
            if len(hashes) == WIDTH:
                fresh.append(root_of(hashes))
        level, first = level + 1, index


def superseded_partials(old: int, new: int) -> Iterator[str]:
    """The folders of partial tiles that serve nobody once a head of size *new* is out: their tile is full now."""
    for level in range(-(-new.bit_length() // 8)):
        index = (old >> 8 * level) // WIDTH
        if width_at(level, index, new) == WIDTH:
            yield f"{tile_path(level, index)}.p"
            if level == 0:
                yield f"{entries_path(index)}.p"


class TileReader:
    """Tiles and bundles of one folder, read on demand. Decoded tiles are kept, TILES_CACHED_MAX of them.

    Safe for many threads. Sizes are given by the caller, who knows which head it trusts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Keyed by width too: a tile of one width never changes under a head that covers it.
        self._folded = lru_cache(maxsize=TILES_CACHED_MAX)(self._read_folded)
        self._bundle = lru_cache(maxsize=1)(self._read_bundle)

    def hash_at(self, size: int) -> HashAt:
        """The complete subtrees of the tree of *size* leaves, for ``merkle``. The function raises BadTile."""
        folded = self._folded

        def at(level: int, index: int) -> bytes:
            tile_level, inner = divmod(level, 8)
            tile = index >> 8 - inner
            position = index & (WIDTH >> inner) - 1
            width = min(WIDTH, (size >> 8 * tile_level) - WIDTH * tile)
            if (position + 1) << inner > width:
                raise BadTile(f"no complete subtree {index} at level {level} in a tree of size {size}")
            # Row *inner* of the folded tile starts after the 256, 128, … nodes below it.
            offset = HASH_BYTES * (2 * WIDTH - (2 * WIDTH >> inner) + position)
            return folded(tile_level, tile, width)[offset : offset + HASH_BYTES]

        return at

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """The first *width* hashes of a tile. Raises BadTile when it is missing or malformed."""
        data = self._read_tile(level, index, width)
        return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The first *width* entries of a bundle. Raises BadTile when it is missing or malformed."""
        return self._bundle(index, width)

    def _read_folded(self, level: int, index: int, width: int) -> bytes:
        """A tile with every complete subtree inside it: rows of 256, 128, … 1 hashes, gaps zero."""
        row = self._read_tile(level, index, width)
        folded = bytearray(HASH_BYTES * (2 * WIDTH - 1))
        start, full = 0, WIDTH * HASH_BYTES
        while row:
            folded[start : start + len(row)] = row
            start, full = start + full, full // 2
            row = b"".join(
                [sha256(b"\x01" + row[i : i + 2 * HASH_BYTES]).digest() for i in range(0, len(row) - 32, 64)]
            )
        return bytes(folded)

    def _read_tile(self, level: int, index: int, width: int) -> bytes:
        data, path, there = self._read(lambda w: tile_path(level, index, w), width, WIDTH * HASH_BYTES)
        if len(data) != there * HASH_BYTES:
            raise BadTile(f"{path} has {len(data):,} bytes, not {there * HASH_BYTES:,}")
        return data[: width * HASH_BYTES]

    def _read_bundle(self, index: int, width: int) -> list[bytes]:
        data, path, there = self._read(lambda w: entries_path(index, w), width, BUNDLE_BYTES_MAX)
        try:
            return decode_bundle(data, there)[:width]
        except BadTile as error:
            raise BadTile(f"{path}: {error.message}") from error

    def _read(self, path_of: Callable[[int], str], width: int, bytes_max: int) -> tuple[bytes, Path, int]:
        """The file of that width, or the full one: (bytes, path, width found)."""
        for there in dict.fromkeys((width, WIDTH)):
            path = self._folder / path_of(there)
            try:
                with path.open("rb") as file:
                    return file.read(bytes_max + 1), path, there
            except FileNotFoundError:
                continue
            except OSError as error:
                raise BadTile(f"{path}: {error.strerror}") from error
        raise BadTile(f"{self._folder / path_of(width)} is missing")


def grown_files(
    reader: TileReader, old: int, entries: Sequence[bytes], hashes: Sequence[bytes]
) -> Iterator[tuple[str, bytes]]:
    """The files, as (path, bytes), that change when *entries* with leaf *hashes* follow the *old* leaves in a folder.

    Raises:
        BadLedger: the partial tile or bundle at the old end is missing, or the two disagree.
    """
    number, width = old // WIDTH, old % WIDTH
    begun = reader.bundle(number, width) if width else []
    if width and [leaf_hash(entry) for entry in begun] != reader.hashes(0, number, width):
        raise BadLedger(f"{entries_path(number, width)} does not hold the entries of its tile")

    def edge(level: int, index: int) -> list[bytes]:
        return reader.hashes(level, index, width_at(level, index, old))

    for level, index, row in grown_tiles(old, hashes, edge):
        yield tile_path(level, index, len(row)), b"".join(row)
    whole = [*begun, *entries]
    for start in range(0, len(whole), WIDTH):
        some = whole[start : start + WIDTH]
        yield entries_path(number + start // WIDTH, len(some)), encode_bundle(some)


def _index_path(index: int) -> str:
    if index < 0:
        raise ValueError(f"no tile {index}")
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _partial(width: int) -> str:
    if not 0 < width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} hashes, not {width}")
    return "" if width == WIDTH else f".p/{width}"
