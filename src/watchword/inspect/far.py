"""A file that is not on this machine: judged from the parts that matter, hashed as it streams by, kept nowhere.

* The judge gets blocks of FAR_BLOCK_BYTES, as it asks for them; a bounded number of them stays in memory.
* Then the whole file passes once, in runs of blocks, to be hashed. A block that the judge was given must pass again
  with the same bytes: whoever serves the file cannot show one thing to the judge and another to the digest.
* Blocks that are still in memory are not asked for again, so a file that fits is read once.
* Where the digest was promised (a registry names content by it), another one is an error.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

from watchword.limits import FAR_BLOCK_BYTES, FAR_BLOCKS_HELD, FAR_RUN_BLOCKS


class Far(Protocol):
    """Where the bytes are. Goes from process to process, so it holds names, not connections."""

    @property
    def promised(self) -> str | None:
        """The SHA-256 in hex that the content was promised to have."""

    def read(self, start: int, length: int) -> bytes:
        """Exactly *length* bytes from *start*.

        Raises:
            OSError: it cannot be had: not reachable, fewer bytes, another version than was listed.
        """


class Streamed:
    """The *size* bytes of *far* as a source (``inspect.source``), and afterwards their digest."""

    def __init__(self, far: Far, size: int) -> None:
        self.far = far
        self.size = size
        self.blocks = -(-size // FAR_BLOCK_BYTES)
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._given: dict[int, bytes] = {}
        self._next = 0
        self._first = self._run = FAR_RUN_BLOCKS if self.blocks <= FAR_RUN_BLOCKS else 1

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        first, last = offset // FAR_BLOCK_BYTES, (offset + length - 1) // FAR_BLOCK_BYTES
        data = b"".join([self._block(number) for number in range(first, last + 1)])
        return data[offset - first * FAR_BLOCK_BYTES :][:length]

    def sha256(self, tell: Callable[[int], None]) -> str:
        """The digest in hex of all bytes; *tell* hears how many have passed.

        Raises:
            OSError: as ``Far.read``, or a block passed with other bytes than the judge was given.
        """
        whole, passed = hashlib.sha256(), 0
        for first, data in self._runs():
            for number in range(first, first + -(-len(data) // FAR_BLOCK_BYTES)):
                block = data[(number - first) * FAR_BLOCK_BYTES :][:FAR_BLOCK_BYTES]
                if number in self._given and hashlib.sha256(block).digest() != self._given[number]:
                    raise OSError("what was served the second time is not what was served the first time")
            whole.update(data)
            passed += len(data)
            tell(passed)
        if self.far.promised not in (None, whole.hexdigest()):
            raise OSError("the content is not what its digest promises")
        return whole.hexdigest()

    def _block(self, number: int) -> bytes:
        block = self._held.get(number)
        if block is None:
            # Whoever reads on gets more at a time.
            self._run = min(2 * self._run, FAR_RUN_BLOCKS) if number == self._next else self._first
            data = self._read(number, self._run)
            self._next = number + self._run
            for at in range(0, len(data), FAR_BLOCK_BYTES):
                self._held[number + at // FAR_BLOCK_BYTES] = data[at : at + FAR_BLOCK_BYTES]
            block = self._held[number]
        if number not in self._given:
            self._given[number] = hashlib.sha256(block).digest()
        elif hashlib.sha256(block).digest() != self._given[number]:
            raise OSError("what was served the second time is not what was served the first time")
        self._held.move_to_end(number)
        while len(self._held) > FAR_BLOCKS_HELD:
            self._held.popitem(last=False)
        return block

    def _runs(self) -> Iterator[tuple[int, bytes]]:
        """All runs of blocks in order, the next one on its way while one is hashed."""
        from concurrent.futures import ThreadPoolExecutor  # not needed for what lies on this machine

        starts = range(0, self.blocks, FAR_RUN_BLOCKS)
        with ThreadPoolExecutor(1, "reading") as pool:
            coming = pool.submit(self._passing, 0)
            for first in starts:
                data = coming.result()
                if first + FAR_RUN_BLOCKS < self.blocks:
                    coming = pool.submit(self._passing, first + FAR_RUN_BLOCKS)
                yield first, data

    def _passing(self, first: int) -> bytes:
        numbers = range(first, min(first + FAR_RUN_BLOCKS, self.blocks))
        held = [self._held.get(number) for number in numbers]
        if all(block is not None for block in held):
            return b"".join([block for block in held if block is not None])
        return self._read(first, len(numbers))

    def _read(self, number: int, count: int) -> bytes:
        start = number * FAR_BLOCK_BYTES
        length = min(count * FAR_BLOCK_BYTES, self.size - start)
        data = self.far.read(start, length) if length > 0 else b""
        if len(data) != length:
            raise OSError(f"{len(data):,} bytes were served where {length:,} were asked for")
        return data
