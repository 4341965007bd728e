"""The last head that this machine signed or accepted for one origin, kept apart from the ledger's folder.

A ledger's folder can be copied back from yesterday's backup; its owner would then sign a second history and convict
himself. So the last head lies elsewhere, ``<heads folder>/<SHA-256 of the origin>``, and is only ever swapped for a
later one by whoever knows what is there.

* The file holds the signed note, or only the text of the empty tree while nothing has been signed.
* It is made once, with the ledger. Missing later, it retires the origin: nothing may be signed under it again.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import Checkpoint, parse_checkpoint
from watchword.ledger.notes import BadNote, parse_note
from watchword.ledger.tiles import BadLedger
from watchword.limits import NOTE_BYTES_MAX


class HeadMoved(WatchwordError):
    """The stored head is not the one that was expected: somebody else signed, or it was put back."""


class HeadStore:
    """The stored head of one origin; the writer holds ``lock`` from opening to closing."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.path = folder / sha256(origin.encode()).hexdigest()
        self._origin = origin
        self._root = self._staging = folder / f"{self.path.name}.staging"

    def lock(self) -> durable.Lock:
        """Take the writer's lock; also creates the folder. Raises Busy or StorageTrouble."""
        with durable.translated(self.path):
            durable.make_folder(self.path.parent)
            self._root.mkdir(mode=0o700, exist_ok=True)
        lock = durable.Lock(self._root / "lock", f"ledger {self._origin}")
        self._staging = lock.term_in(self._root)
        return lock

    def read(self) -> bytes | None:
        """What is stored, at most NOTE_BYTES_MAX bytes; None when this origin was never begun here."""
        return durable.read(self.path, NOTE_BYTES_MAX)

    def swap(self, expected: bytes | None, note: bytes) -> None:
        """Store *note* where *expected* is (None: where nothing is), durably. The lock is held by the caller.

        Raises:
            HeadMoved: something else is stored. Nothing was changed.
            OSError: the disk. Either may be stored now; read again before going on.
        """
        if self.read() != expected:
            raise HeadMoved(
                f"the stored head of {self._origin} changed while this ledger was open",
                "end whatever else writes it and open it again; nothing was published",
            )
        durable.replace(self.path, note, self._staging, 0o600)

    def sync(self) -> None:
        """Make durable what is stored: a writer that was killed may have left it unsynced."""
        with durable.translated(self.path):
            if self.path.exists():
                descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            durable.sync_folder(self.path.parent)


def is_signed(stored: bytes) -> bool:
    """Whether a stored head has been signed, or is still the bare text of the empty tree."""
    return b"\n\n" in stored


def parse_stored(note: bytes, path: Path, origin: str) -> Checkpoint:
    """The head in a file of ours, at *path*: a signed note, or the bare text that a new ledger begins with.

    Raises:
        BadLedger: damaged, or of another origin.
    """
    try:
        head = parse_checkpoint(parse_note(note).text if is_signed(note) else note.decode())
    except (BadNote, UnicodeDecodeError) as error:
        raise BadLedger(f"{path} is damaged: {error}") from error
    if head.origin != origin:
        raise BadLedger(f"{path} is of {head.origin!r}, not of {origin!r}")
    return head
