"""Bytes at rest that a judge may look at from any place: a file, a part of one, or what was unpacked from one.

* Files are read in place on the one descriptor that is hashed too, so what was judged is what was hashed. They
  are not mapped: a file cut short by somebody else would kill the process instead of giving a verdict.
* A short answer to ``read_at`` means the end. Nobody is handed more than asked for.
* Unpacking counts against one budget per delivered file (bytes and ratio): a bomb is a finding, never a full disk.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterable, Iterator
from typing import IO, Protocol

from watchword.inspect.descriptors import read_at, write_at
from watchword.limits import UNPACKED_BYTES_MAX, UNPACKED_FREE_BYTES, UNPACKED_MEMORY_BYTES, UNPACKED_RATIO_MAX

CHUNK = 256 * 1024


class Source(Protocol):
    """Random access to ``size`` bytes."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to *length* bytes from *offset*; fewer only at the end."""


class Held:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


class Opened:
    """An open regular file."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        data = read_at(self.descriptor, length, offset)
        while len(data) < length:
            more = read_at(self.descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


spare: list[int] | None = None
"""Descriptors of unnamed temporary files, for a process that may make none; None where it may."""


class Spooled(Opened):
    """Unpacked bytes in an unnamed temporary file, which disappears with the last reference to this."""

    def __init__(self) -> None:
        self.spool: IO[bytes] | None = None
        if spare:
            super().__init__(spare.pop(), 0)
        elif spare is not None:
            raise TooMuch("more is unpacked at once than this process has temporary files for")
        else:
            import tempfile  # brings much with it, and few files need it

            self.spool = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with it
            super().__init__(self.spool.fileno(), 0)

    def append(self, data: bytes) -> None:
        """Put *data* behind what is there."""
        left = memoryview(data)
        while left:
            written = write_at(self.descriptor, left, self.size)
            self.size += written
            left = left[written:]

    def __del__(self) -> None:
        if self.spool is not None:
            self.spool.close()
        elif spare is not None and hasattr(self, "descriptor"):
            os.ftruncate(self.descriptor, 0)
            spare.append(self.descriptor)


class Part:
    """*size* bytes of another source, from *start*."""

    def __init__(self, whole: Source, start: int, size: int) -> None:
        self.whole = whole
        self.start = start
        self.size = max(0, min(size, whole.size - start))

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        return self.whole.read_at(self.start + offset, length) if length > 0 else b""


class Joined:
    """Parts of sources, one after another, as one; ``None`` stands for zeros (a hole of a sparse file)."""

    def __init__(self, parts: list[tuple[Source | None, int]]) -> None:
        self.starts = [0]
        self.parts = parts
        for _, length in parts:
            self.starts.append(self.starts[-1] + length)
        self.size = self.starts[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        found = bytearray()
        at = bisect.bisect_right(self.starts, offset) - 1
        while len(found) < length:
            part, whole = self.parts[at]
            start = offset + len(found) - self.starts[at]
            count = min(length - len(found), whole - start)
            data = bytes(count) if part is None else part.read_at(start, count)
            found += data
            if len(data) < count:
                break
            at += 1
        return bytes(found)


class TooMuch(Exception):
    """Unpacking stopped at a limit; the message says which, ``so_far`` is what had been unpacked by then."""

    so_far: Source | None = None


class Budget:
    """What unpacking may still cost for one delivered file."""

    def __init__(self, bytes_left: int = UNPACKED_BYTES_MAX) -> None:
        self.bytes_left = bytes_left
        self.unpacked = 0

    def spend(self, count: int, packed: int, so_far: int) -> None:
        """Account for *count* bytes more of a member of *packed* bytes that has given *so_far* up to now.

        Raises:
            TooMuch: the file's budget, or the ratio of this member, is used up.
        """
        self.bytes_left -= count
        self.unpacked += count
        if self.bytes_left < 0:
            raise TooMuch(f"unpacks to more than the limit of {UNPACKED_BYTES_MAX:,} bytes")
        if so_far > UNPACKED_FREE_BYTES and so_far > packed * UNPACKED_RATIO_MAX:
            raise TooMuch(f"unpacks to more than {UNPACKED_RATIO_MAX} times its size")


def hold(chunks: Iterable[bytes], packed: int, budget: Budget) -> Source:
    """The bytes of *chunks* as a source: in memory up to a limit, then in an unnamed temporary file.

    Raises:
        TooMuch: see :class:`Budget`; with what had been kept. Whatever *chunks* raises passes through.
    """
    kept: list[bytes] = []
    total = 0
    spooled: Spooled | None = None
    for chunk in chunks:
        total += len(chunk)
        try:
            budget.spend(len(chunk), packed, total)
        except TooMuch as error:
            error.so_far = Held(b"".join(kept)) if spooled is None else spooled
            raise
        if spooled is None and total > UNPACKED_MEMORY_BYTES:
            spooled = Spooled()
            for part in kept:
                spooled.append(part)
            kept.clear()
        if spooled is None:
            kept.append(chunk)
        else:
            spooled.append(chunk)
    return Held(b"".join(kept)) if spooled is None else spooled


def chunks_of(source: Source, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of *source* from *start* in pieces of at most ``CHUNK``."""
    end = source.size if length is None else min(source.size, start + length)
    while start < end:
        data = source.read_at(start, min(CHUNK, end - start))
        if not data:
            return
        yield data
        start += len(data)
