"""The memory of a witness for one ledger: its last cosigned head, in a file of two slots that are written in turn.

    slot    "WWslot/1" || u64 number || u32 length || 16 bytes check || the signed note

* Storing is one write in place and one ``fdatasync``: nothing is renamed, nothing grows, a full disk does not matter.
* A slot that was torn by a kill or a power cut does not check; the other one holds what was stored before it, and the
  answer to the torn one never left.
* After trouble, and when opened, the newest slot is written once more in its place: it may have been read back from
  memory that never reached the disk.
* No whole slot at all is damage, never an empty memory.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.tiles import BadLedger

SLOT_BYTES = 16_384
"""One slot. Two log lines and two of the witness have 7 KB, each name in them up to 255 bytes more."""

_HEAD = struct.Struct(">8sQI16s")
_MAGIC = b"WWslot/1"


class Slots:
    """An open memory. Many threads and processes may hold one file; whoever stores does it inside ``locked``."""

    def __init__(self, path: Path, staging: Path, first: bytes = b"") -> None:
        """Open *path*, or make it with *first* in it (empty: nothing cosigned yet).

        Raises:
            BadLedger: damaged. StorageTrouble: the disk.
        """
        self._path = path
        self._mutex = threading.Lock()
        with durable.translated(path):
            with durable.Lock(staging / "lock", str(path), wait=True):
                if not path.exists():
                    data = _slot(1, first).ljust(SLOT_BYTES, b"\0") + bytes(SLOT_BYTES)
                    durable.replace_many(path.parent, [(path.name, data)], staging, 0o600)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._settled = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the file, among threads and processes. Raises Busy: one has it for too long."""
        with self._mutex:
            durable.take_lock(self._descriptor, str(self._path), wait=True)
            try:
                if not self._settled:
                    self._put(*self._newest())
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def read(self) -> bytes:
        """The note last stored; empty when nothing was cosigned yet. Raises BadLedger."""
        with durable.translated(self._path):
            return self._newest()[1]

    def store(self, note: bytes) -> None:
        """Store *note*, durably; inside ``locked``.

        Raises:
            StorageTrouble: the disk. Either may be there now; nothing was acknowledged.
        """
        self._put(self._newest()[0] + 1, note)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _newest(self) -> tuple[int, bytes]:
        found = [one for n in (0, 1) if (one := _read(os.pread(self._descriptor, SLOT_BYTES, n * SLOT_BYTES)))]
        if not found:
            raise BadLedger(f"{self._path} is damaged: no whole slot", "without it nothing may be cosigned by this key")
        return max(found)

    def _put(self, number: int, note: bytes) -> None:
        # Until it has returned, the next one begins by writing this same slot again.
        self._settled = False
        with durable.translated(self._path):
            os.lseek(self._descriptor, (number + 1) % 2 * SLOT_BYTES, os.SEEK_SET)
            durable.write_all(self._descriptor, _slot(number, note))
            os.fdatasync(self._descriptor)
        self._settled = True


def _slot(number: int, note: bytes) -> bytes:
    if len(note) > SLOT_BYTES - _HEAD.size:
        raise BadLedger(f"a cosigned head of {len(note):,} bytes does not fit into a slot", "its names are too long")
    check = sha256(struct.pack(">QI", number, len(note)) + note).digest()[:16]
    return _HEAD.pack(_MAGIC, number, len(note), check) + note


def _read(data: bytes) -> tuple[int, bytes] | None:
    if len(data) < _HEAD.size:
        return None
    magic, number, length, check = _HEAD.unpack_from(data)
    note = data[_HEAD.size : _HEAD.size + length]
    good = magic == _MAGIC and len(note) == length
    return (number, note) if good and sha256(struct.pack(">QI", number, length) + note).digest()[:16] == check else None
