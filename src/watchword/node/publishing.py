"""This member's ledgers at a static place: a folder that a web server serves, or an object store. C2SP tlog-tiles.

    logs/<SHA-256 of origin>/checkpoint, heads, tile/…      as a node serves them (docs/protocol.md, section 11)
    heads                                                   the tags of their heads

* Tiles and entry bundles first, then the heads, the tags as the last: whoever reads there meanwhile finds under each
  head all that it covers. What is there already with the same bytes is not written again, so that a run that was cut
  short goes on, and one without news writes nothing.
* Before anything is written, what is there is looked at: a head that ours does not extend, or a larger one, is no place
  to publish to. With *everything*, each file under the head is compared, and mended.
* Bodies and the private record are not published, nor are loose notices: a place that anybody may read shows salted
  commitments alone. Who pulls from there asks a member for the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import SplitView, verify_head
from watchword.ledger.log import Log
from watchword.ledger.tiles import WIDTH, TileReader, encode_bundle, entries_path, tile_path, width_at
from watchword.limits import NOTE_BYTES_MAX
from watchword.node.node import Node
from watchword.node.sync import TAGS_FORMAT, entity_tag, prefix_of
from watchword.statements.canonical import canonical

USES = ("ledger", "notices")


class NotOurPlace(WatchwordError):
    """A place that has another history, or a longer one, of a ledger."""


class Place(Protocol):
    """Where files are put under paths. Both raise StorageTrouble."""

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """A file, cut off after ``bytes_max + 1`` bytes; None where there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Put a file in place, whole."""


@dataclass(frozen=True)
class FolderPlace:
    """A folder, which a web server may serve as it is."""

    folder: Path

    def read(self, path: str, bytes_max: int) -> bytes | None:
        return durable.read(self.folder / path, bytes_max)

    def write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        with durable.translated(target):
            # Of this process alone; it stays there empty.
            staging = self.folder / ".staging" / str(os.getpid())
            durable.make_folder(staging)
            durable.make_folder(target.parent)
            durable.replace(target, data, staging, 0o644)


@dataclass(frozen=True)
class Published:
    """One ledger at its place: its size there before and now, how many files were written."""

    origin: str
    old: int
    new: int
    written: int


def publish(node: Node, place: Place, *, everything: bool = False) -> list[Published]:
    """Bring *place* up to the heads of this member's ledgers.

    Raises:
        NotOurPlace: what is there is not how ours began; nothing was written.
        SplitView: it is signed with our key all the same: carries both heads.
        StorageTrouble: the place or the disk; the next run goes on.
        BadLedger: a tile of ours is missing or malformed.
    """
    node.must_sign()
    origins = [node.me.origins[use] for use in USES]
    logs = {origin: log for origin in origins if (log := node.store.log(origin)) is not None and log.published_size}
    before = {origin: _there(node, place, log) for origin, log in logs.items()}
    done, tags = [], {}
    for origin, log in logs.items():
        heads, note = node.store.kept_file(origin), log.checkpoint()
        if heads is None or note is None:
            continue
        size = verify_head(note, origin, node.charter.origins[origin].key).size
        start = 0 if everything else before[origin]
        files = chain(_files(log.folder, start, size), [("checkpoint", note), ("heads", heads)])
        written = sum(_put(place, prefix_of(origin) + path, data) for path, data in files)
        tags[origin] = entity_tag(heads)
        done.append(Published(origin, before[origin], size, written))
    _put(place, "heads", canonical({"format": TAGS_FORMAT, "tags": tags}))
    return done


def _there(node: Node, place: Place, log: Log) -> int:
    """The size of what *place* has of a ledger, which ours extends."""
    note = place.read(f"{prefix_of(log.origin)}checkpoint", NOTE_BYTES_MAX)
    if note is None:
        return 0
    head = verify_head(note, log.origin, node.charter.origins[log.origin].key)
    if head.size > log.published_size:
        raise NotOurPlace(
            f"{log.origin}: {head.size:,} leaves are published there, {log.published_size:,} here",
            "this home is older than what it published: restored from a copy?",
        )
    if log.root(head.size) != head.root:
        message = f"another history of {log.origin} is published there, signed with its key, at size {head.size:,}"
        raise SplitView(message, log.checkpoint() or b"", note)
    return head.size


def _files(folder: Path, old: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Every tile and bundle under a head of *size* that one of *old* does not cover."""
    reader, level, start, left = TileReader(folder), 0, old, size if size > old else 0
    while left:
        for index in range(start // WIDTH, -(-left // WIDTH)):
            width = width_at(level, index, size)
            if level == 0:
                yield entries_path(index, width), encode_bundle(reader.bundle(index, width))
            yield tile_path(level, index, width), b"".join(reader.hashes(level, index, width))
        level, start, left = level + 1, start // WIDTH, left // WIDTH


def _put(place: Place, path: str, data: bytes) -> bool:
    """Put a file there, unless it is; whether it was put."""
    if place.read(path, len(data)) == data:
        return False
    place.write(path, data)
    return True
