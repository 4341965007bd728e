"""Restore what a disk lost, from any node that mirrors it: only what is provably the same.

* A ledger is restored under the last head that was signed or accepted here, which lies apart from it. Tiles and bundles
  that fit under it stay; the others are fetched and must fit. Then the checkpoint, where it is not that head.
* A body is restored under the commitment that its leaf has; a damaged one is deleted first.
* Not restored: entries that were acknowledged and never came under a head, a lost head store, keys. A ledger whose head
  store is lost stays closed for good: going on could fork it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger import durable, leaves
from watchword.ledger.bodies import DamagedBody
from watchword.ledger.check import check_ledger
from watchword.ledger.checkpoint import Checkpoint, verify_head
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.fetch import Remote
from watchword.ledger.heads import HeadStore, is_signed
from watchword.ledger.notes import BadNote
from watchword.ledger.pull import pull_tiles
from watchword.ledger.tiles import WIDTH, BadLedger, TileReader
from watchword.limits import NOTE_BYTES_MAX
from watchword.node.node import Node
from watchword.node.recorded import NotHere
from watchword.node.sync import Synced, fetch_bodies, prefix_of


@dataclass(frozen=True)
class Repaired:
    """One ledger: how many files and bodies were restored, from whom; ``trouble`` where it could not be."""

    origin: str
    files: int = 0
    bodies: int = 0
    peer: str = ""
    trouble: str = ""

    def told(self) -> str:
        """One line for people."""
        if self.trouble:
            return f"{self.origin}: not restored: {self.trouble}"
        if not self.files and not self.bodies:
            return f"{self.origin}: nothing to restore"
        return f"{self.origin}: {self.files:,} files and {self.bodies:,} bodies restored from {self.peer}"

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "bodies": self.bodies, "files": self.files, "origin": self.origin, "peer": self.peer,
            "trouble": self.trouble,
        }  # fmt: skip


def repair(node: Node, peers: Mapping[str, str]) -> list[Repaired]:
    """Restore every shared ledger held here and its bodies, each from the first peer that can.

    Raises:
        NotHere: opened for reading only.
        StorageTrouble: the disk, still.
    """
    if not node.writing:
        raise NotHere(f"{node.home}: opened for reading only")
    done = []
    for origin in node.charter.known_origins:
        stored = HeadStore(node.home / "heads", origin).read()
        if stored is not None and is_signed(stored):
            done.append(_from_any(node, origin, stored, peers))
    return done


def _from_any(node: Node, origin: str, stored: bytes, peers: Mapping[str, str]) -> Repaired:
    try:
        head = verify_head(stored, origin, node.charter.origins[origin].key)
    except BadNote as error:
        return Repaired(origin, trouble=f"the stored head itself is damaged: {error.message}")
    whole = _whole(node, head)
    if whole and not _lost_bodies(node, head):
        return Repaired(origin)
    troubles = []
    for name, url in peers.items():
        try:
            with Remote(url) as remote:
                files = 0 if whole else _restore(node, remote, head, stored)
                synced = Synced(name, url)
                wanted = _lost_bodies(node, head)
                if wanted:
                    fetch_bodies(node, remote, synced, wanted, None)
                return Repaired(origin, files, synced.bodies, name)
        except StorageTrouble:
            raise
        except WatchwordError as error:
            troubles.append(f"{name}: {error.message}")
    return Repaired(origin, trouble="; ".join(troubles) or "no peer was named")


def _whole(node: Node, head: Checkpoint) -> bool:
    """Whether the checkpoint is the stored head and the entries lead to it through every tile."""
    folder = node.store.folder(head.origin)
    try:
        note = durable.read(folder / "checkpoint", NOTE_BYTES_MAX)
        if note is None or not _is_head(node, note, head):
            return False
        check_ledger(folder, head.origin, HeadStore(node.home / "heads", head.origin))
    except BadLedger:
        return False
    return True


def _restore(node: Node, remote: Remote, head: Checkpoint, stored: bytes) -> int:
    """Tiles, bundles and the checkpoint; how many files were not as they must be."""
    store, origin = node.store, head.origin
    folder = store.folder(origin)
    staging = folder / "staging"
    with durable.translated(folder):
        durable.make_folder(folder)
        durable.make_folder(staging, 0o700)
    files = 0
    with durable.Lock(staging / "lock", f"ledger {origin}"):
        if head.size:
            files = pull_tiles(remote, prefix_of(origin), folder, staging, 0, head, store.use(origin))
        note = durable.read(folder / "checkpoint", NOTE_BYTES_MAX)
        if note is None or not _is_head(node, note, head):
            files += 1
            with durable.translated(folder):
                if not store.is_own(origin):
                    durable.replace(folder / "mirror", b"", staging, 0o600)
                durable.replace(folder / "checkpoint", stored, staging)
    return files


def _lost_bodies(node: Node, head: Checkpoint) -> dict[bytes, str]:
    """Damaged bodies, which are deleted, and of own ledgers those that are gone: commitment to use of the ledger."""
    store, use = node.store, node.store.use(head.origin)
    reader = TileReader(store.folder(head.origin))
    lost = {}
    for number in range(-(-head.size // WIDTH)):
        for entry in reader.bundle(number, min(WIDTH, head.size - number * WIDTH)):
            commitment = leaves.parse(use, entry).commitment
            try:
                gone = store.bodies.get(commitment) is None and store.is_own(head.origin)
            except DamagedBody:
                store.bodies.purge(commitment)
                gone = True
            if gone:
                lost[commitment] = use
    return lost


def _is_head(node: Node, note: bytes, head: Checkpoint) -> bool:
    """Whether the checkpoint on disk is the stored head, with any cosignatures."""
    try:
        return verify_head(note, head.origin, node.charter.origins[head.origin].key) == head
    except BadNote:
        return False
