"""Reading and writing an open file at a place: with one call where the system has it, else one reader at a time.

Windows has no ``pread``: there a place is sought and read under a lock, because the judge and the hashing thread share
one descriptor. What is opened here is opened as bytes: a system that changes line ends in text must not.
"""

from __future__ import annotations

import os
import threading

FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"))
"""To open what a listing named: no link, no waiting for a writer (it may have become a pipe), not passed on, bytes.

Where a system has no such flag it cannot be asked for: on Windows a file that became a link between listing and
opening is followed.
"""

_ONE = threading.Lock()

if hasattr(os, "preadv"):

    def read_at(descriptor: int, length: int, offset: int) -> bytes:
        """Up to *length* bytes from *offset*; fewer at the end, and where the system gives fewer at once."""
        return os.pread(descriptor, length, offset)

    def read_into(descriptor: int, buffer: bytearray, offset: int) -> int:
        """Fill *buffer* from *offset*; how many bytes there were."""
        return os.preadv(descriptor, [buffer], offset)

    def write_at(descriptor: int, data: memoryview, offset: int) -> int:
        """Write *data* at *offset*; how many bytes were taken."""
        return os.pwrite(descriptor, data, offset)

else:

    def read_at(descriptor: int, length: int, offset: int) -> bytes:
        with _ONE:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, length)

    def read_into(descriptor: int, buffer: bytearray, offset: int) -> int:
        data = read_at(descriptor, len(buffer), offset)
        buffer[: len(data)] = data
        return len(data)

    def write_at(descriptor: int, data: memoryview, offset: int) -> int:
        with _ONE:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.write(descriptor, data)
