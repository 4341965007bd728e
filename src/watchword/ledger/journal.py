"""The receipts of a node's gate, whole, in one append-only file: what "durable" rests on in its private record.

A receipt is acknowledged when one ``fdatasync`` of this file returns, however many of them were written at once. The
leaves of the record are made from it afterwards: a leaf is ``0x03 || commitment(salt, receipt)`` (docs/protocol.md,
section 5), so that what the file holds and what the record commits to cannot differ unseen.

    file, group     as in ``intake``, with another first line
    body            for each receipt: u32 length || 32 bytes salt || canonical receipt

* It outlives the record's origin: a member who begins new ledgers keeps his receipts.
* Receipts are read from the file when asked for; in memory are only their places.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.intake import BODY_BYTES_MAX, DamagedIntake, Intake
from watchword.ledger.merkle import leaf_hash
from watchword.ledger.tiles import BadLedger, BadTile
from watchword.statements.digests import SALT_BYTES


class Grown(BadLedger):
    """Another writer of this process appended first: what was to be appended followed from less."""


class Journal(Intake):
    """An open journal. ``len`` counts durable receipts. Any thread may append."""

    MAGIC = b"watchword-record/1\n"

    def __init__(self, path: Path, origin: str, writing: bool = True) -> None:
        """As ``Intake``; nothing is kept in memory but places."""
        self._places = array("Q")
        self._lengths = array("L")
        self._append_lock = threading.Lock()
        super().__init__(path, origin, writing)
        with durable.translated(path):
            self._reader = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @classmethod
    def at(cls, path: Path, origin: str, staging: Path, writing: bool) -> Journal | None:
        """The journal at *path*; for writing, begun where there is none."""
        if not path.exists():
            if not writing:
                return None
            with durable.translated(path):
                cls.create(path, origin, 0, staging)
        return cls(path, origin, writing)

    def __len__(self) -> int:
        return int(self.next_index)

    def add(self, salted: Sequence[bytes], at: int | None = None) -> range:
        """Make receipts durable, each ``salt || body``, with one sync; their indices.

        Args:
            at: how many there must be before; None where it does not matter.

        Raises:
            Grown: there are more; nothing was written.
            StorageTrouble: the disk; nothing was acknowledged.
            BadLedger: more bytes than one group holds.
        """
        with self._append_lock:
            start = self.next_index
            if at is not None and at != start:
                raise Grown(f"{self._path}: has {start:,} receipts, not {at:,}", "ask again")
            if sum(map(len, salted)) + 4 * len(salted) > BODY_BYTES_MAX:
                raise BadLedger(f"{self._path}: {len(salted):,} receipts at once are more than a group holds")
            if self._descriptor < 0:
                raise StorageTrouble(f"{self._path}: is closed, or open for reading only")
            try:
                self.append(salted, [leaf_hash(one) for one in salted])
            except OSError as error:
                raise StorageTrouble(
                    f"{self._path}: {error.strerror}", "nothing of it was acknowledged; free space or repair the disk"
                ) from error
            return range(start, self.next_index)

    def refresh(self) -> None:
        """For a reader: what was written since it looked."""
        if self._descriptor < 0 and self._reader >= 0:
            with durable.translated(self._path):
                if os.fstat(self._reader).st_size > self.bytes:
                    with self._path.open("rb") as file:
                        self._read_groups(file)

    def read(self, index: int) -> tuple[bytes, bytes]:
        """The (salt, body) of a receipt, as it is on the disk now; who reads checks its commitment.

        Raises:
            DamagedIntake: the file is shorter than what was acknowledged.
        """
        with durable.translated(self._path):
            data = os.pread(self._reader, self._lengths[index], self._places[index])
        if len(data) != self._lengths[index]:
            raise DamagedIntake(f"{self._path}: receipt {index} is cut off", index=index)
        return data[:SALT_BYTES], data[SALT_BYTES:]

    def close(self) -> None:
        super().close()
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def _encode(self, entries: Sequence[bytes]) -> bytes:
        return b"".join([len(entry).to_bytes(4, "big") + entry for entry in entries])

    def _decode(self, body: bytes, count: int) -> list[bytes]:
        entries, offset = [], 0
        for _ in range(count):
            length = int.from_bytes(body[offset : offset + 4], "big")
            offset += 4 + length
            if length < SALT_BYTES or offset > len(body):
                raise BadTile("a group of receipts is cut off")
            entries.append(body[offset - length : offset])
        if offset != len(body):
            raise BadTile("a group of receipts has bytes after them")
        return entries

    def _read_back(self, entries: list[bytes], hashes: list[bytes]) -> None:
        del entries, hashes

    def _took(self, entries: Sequence[bytes], body_at: int) -> None:
        # What an interrupted append told before is told again.
        del self._places[self.next_index :], self._lengths[self.next_index :]
        for entry in entries:
            self._places.append(body_at + 4)
            self._lengths.append(len(entry))
            body_at += 4 + len(entry)
