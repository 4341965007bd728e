"""The intake of a ledger: the private append-only file that an acknowledgement rests on.

A group of appends is one write and one ``fdatasync``; when that returns, all of the group is acknowledged. Tiles and
the signed head follow later and can be made again from here.

    file    magic || SHA-256(origin) || u64 base || 16 random bytes || 8 bytes check
    group   "WWgroup\\n" || u64 first index || u32 count || u64 body length || 16 bytes body check || 8 bytes check
            || body
    body    the entries, as in an entry bundle: u16 length || entry

* ``base`` is the index of the first entry in the file; those before it are in tiles under a stored head.
* The checks are truncated SHA-256 over the file's random bytes too: no entry can be made that passes for a group.
* The body check covers the leaf hashes, which the tree needs anyway: each byte is hashed once.
* A last group that is not whole was never acknowledged and is dropped. One that is damaged *before* a whole group was
  acknowledged, and is an error: two groups are never in flight at once.
"""

from __future__ import annotations

import errno
import os
import secrets
import struct
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from watchword.ledger import durable
from watchword.ledger.merkle import leaf_hash
from watchword.ledger.tiles import BadLedger, BadTile, decode_bundle, encode_bundle
from watchword.limits import ENTRY_BYTES_MAX, PENDING_BYTES_MAX, PENDING_ENTRIES_MAX

_FILE = struct.Struct(">19s32sQ16s8s")
_GROUP_MAGIC = b"WWgroup\n"
_GROUP = struct.Struct(">8sQIQ16s8s")
_CHUNK = 1024 * 1024
BODY_BYTES_MAX = PENDING_BYTES_MAX + 2 * PENDING_ENTRIES_MAX + 2 + ENTRY_BYTES_MAX
"""The body of one group; a longer one is not ours."""


class DamagedIntake(BadLedger):
    """An intake that is not ours, or that lost entries which were acknowledged."""


class Intake:
    """An open intake: ``base`` and ``next_index`` bound the entries in it; ``bytes`` is its length on disk."""

    MAGIC = b"watchword-intake/1\n"

    def __init__(self, path: Path, origin: str, writing: bool = True) -> None:
        """Open for appending and read what is there, into ``entries`` and ``hashes`` (until ``release``).

        Args:
            writing: False leaves the file alone, its torn end too.

        Raises:
            DamagedIntake: missing, of another ledger, or damaged inside what was acknowledged.
            StorageTrouble: the torn end could not be cut off.
        """
        self._path = path
        self._origin = sha256(origin.encode()).digest()
        self.entries: list[bytes] = []
        self.hashes: list[bytes] = []
        self._settled = True
        with durable.translated(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise DamagedIntake(f"{path} is missing", "begin a new ledger under a new origin") from None
            with file:
                self._read(file)
            self._descriptor = -1
            if writing:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
                self._cut()

    @classmethod
    def create(cls, path: Path, origin: str, base: int, staging: Path) -> None:
        """Write an empty intake that begins at *base*, in place of any that is there."""
        head = cls.MAGIC + sha256(origin.encode()).digest() + struct.pack(">Q", base) + secrets.token_bytes(16)
        durable.replace(path, head + sha256(head).digest()[:8], staging, 0o600)

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Make one group durable.

        Raises:
            OSError: not acknowledged; the next call cuts off what was written, if it could not be done at once.
        """
        body = self._encode(entries)
        fields = _GROUP_MAGIC + struct.pack(">QIQ", self.next_index, len(entries), len(body))
        fields += self._body_check(fields, hashes)
        group = fields + self._group_check(fields, self.bytes) + body
        self.settle()
        self._settled = False
        try:
            durable.write_all(self._descriptor, group)
            os.fdatasync(self._descriptor)
            if not durable.is_at(self._descriptor, self._path):
                # Whoever took over goes on with a copy that was made before or after; he alone knows what is in it.
                raise OSError(errno.ESTALE, "another writer took over")
        except OSError:
            self.settle()
            raise
        self._took(entries, self.bytes + len(group) - len(body))
        self.bytes += len(group)
        self.next_index += len(entries)
        self._settled = True

    def settle(self) -> None:
        """Cut off what an append left that did not return: a failed sync may have left it in memory and not on disk."""
        if not self._settled:
            self._cut()
            self._settled = True

    def release(self) -> None:
        """Forget the entries that were read at opening."""
        self.entries, self.hashes = [], []

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut(self) -> None:
        """Back to the last whole group, durably: after a kill that one may never have been synced."""
        if os.fstat(self._descriptor).st_size != self.bytes:
            os.ftruncate(self._descriptor, self.bytes)
        os.fsync(self._descriptor)

    def _read(self, file: BinaryIO) -> None:
        head = file.read(_FILE.size)
        if len(head) != _FILE.size or not head.startswith(self.MAGIC) or sha256(head[:-8]).digest()[:8] != head[-8:]:
            raise DamagedIntake(f"{self._path} is not an intake, or its first {_FILE.size} bytes are damaged")
        _, origin, self.base, self._nonce, _ = _FILE.unpack(head)
        if origin != self._origin:
            raise DamagedIntake(f"{self._path} is the intake of another origin")
        self.next_index, self.bytes = self.base, _FILE.size
        self._read_groups(file)

    def _read_groups(self, file: BinaryIO) -> None:
        """Everything from ``bytes`` on, up to the last whole group."""
        file.seek(self.bytes)
        while True:
            while self._read_group(file):
                pass
            # What follows was written by one append that never returned, unless a whole group stands after it.
            file.seek(self.bytes)
            if not self._whole_group_after(file):
                return
            # Or its writer went on while a reader looked: then it can be read by now.
            file.seek(self.bytes)
            if not self._read_group(file):
                raise DamagedIntake(
                    f"{self._path}: entry {self.next_index} and others after it were acknowledged and are damaged",
                    "the entries before them are intact",
                    self.next_index,
                )

    def _read_group(self, file: BinaryIO) -> bool:
        header = file.read(_GROUP.size)
        if not self._is_group(header, self.bytes):
            return False
        _, first, count, length, check, _ = _GROUP.unpack(header)
        if first != self.next_index or length > BODY_BYTES_MAX:
            return False
        body = file.read(length)
        try:
            entries = self._decode(body, count)
        except BadTile:
            return False
        hashes = [leaf_hash(entry) for entry in entries]
        if self._body_check(header[:28], hashes) != check:
            return False
        self._read_back(entries, hashes)
        self._took(entries, self.bytes + _GROUP.size)
        self.next_index += count
        self.bytes += _GROUP.size + length
        return True

    # What another file of the same kind of groups may do otherwise (see ``journal``).

    def _encode(self, entries: Sequence[bytes]) -> bytes:
        return encode_bundle(entries)

    def _decode(self, body: bytes, count: int) -> list[bytes]:
        return decode_bundle(body, count)

    def _read_back(self, entries: list[bytes], hashes: list[bytes]) -> None:
        self.entries += entries
        self.hashes += hashes

    def _took(self, entries: Sequence[bytes], body_at: int) -> None:
        """Told of each group, read or written: its entries, and where in the file its body begins."""

    def _whole_group_after(self, file: BinaryIO) -> bool:
        """Whether a group header of this file stands anywhere in the rest (one pass)."""
        offset, data = self.bytes, file.read(_CHUNK)
        while data:
            place = data.find(_GROUP_MAGIC, 0 if offset > self.bytes else 1)
            while place >= 0:
                if self._is_group(data[place : place + _GROUP.size], offset + place):
                    return True
                place = data.find(_GROUP_MAGIC, place + 1)
            keep = data[-(_GROUP.size - 1) :] if len(data) >= _GROUP.size else b""
            more = file.read(_CHUNK)
            if not more:
                return False
            offset += len(data) - len(keep)
            data = keep + more
        return False

    def _is_group(self, header: bytes, offset: int) -> bool:
        return (
            len(header) == _GROUP.size
            and header.startswith(_GROUP_MAGIC)
            and self._group_check(header[:-8], offset) == header[-8:]
        )

    def _group_check(self, fields: bytes, offset: int) -> bytes:
        return sha256(self._nonce + struct.pack(">Q", offset) + fields).digest()[:8]

    def _body_check(self, fields: bytes, hashes: Sequence[bytes]) -> bytes:
        return sha256(self._nonce + fields + b"".join(hashes)).digest()[:16]
