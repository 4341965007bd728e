"""The hashing pass over one large file. Reads in place, so the judge's reads do not disturb it."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from watchword.inspect.descriptors import read_into
from watchword.inspect.facts import Progress
from watchword.limits import READ_BYTES


@dataclass(frozen=True, slots=True)
class Step:
    """Where a file stands in the whole: whom to tell, the bytes done before it, the bytes of all."""

    tell: Progress | None = None
    done: int = 0
    total: int = 0

    def at(self, path: str, read: int) -> None:
        """Tell that *read* bytes of *path* are done."""
        if self.tell is not None:
            self.tell(path, self.done + read, self.total)


class Hashing(threading.Thread):
    """SHA-256 of the *size* bytes of *descriptor*, in a thread of its own (``start``) or in the caller's (``run``)."""

    def __init__(self, descriptor: int, size: int, path: str, step: Step) -> None:
        super().__init__(name="hashing", daemon=True)
        self.descriptor = descriptor
        self.size = size
        self.path = path
        self.step = step
        self.read = 0
        self.hash = hashlib.sha256()
        self.error: OSError | None = None
        self.stopped = False

    def run(self) -> None:
        buffer = bytearray(READ_BYTES)
        view = memoryview(buffer)
        try:
            # One byte past the stated end: a file that has grown is noticed.
            while not self.stopped and (count := read_into(self.descriptor, buffer, self.read)):
                self.hash.update(view[:count])
                self.read += count
                self.step.at(self.path, self.read)
                if self.read > self.size:
                    return
        except OSError as error:
            self.error = error

    def finish(self) -> str:
        """Wait for the end, then as :meth:`result`."""
        try:
            self.join()
        except BaseException:  # Ctrl-C while waiting: let the thread go before the descriptor is closed
            self.stopped = True
            self.join()
            raise
        return self.result()

    def result(self) -> str:
        """The digest in hex of what was read.

        Raises:
            OSError: what reading failed with.
        """
        if self.error is not None:
            raise self.error
        return self.hash.hexdigest()
