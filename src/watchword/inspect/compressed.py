"""Compressed single streams, as joblib and tar write them: gzip, bzip2, xz, lzma, zlib, and joblib's old ZFile.

Unpacked piece by piece under the budget of the delivered file. What was unpacked before damage is kept: a streaming
loader has run it by then.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from watchword.inspect.facts import Oddity
from watchword.inspect.source import CHUNK, Budget, Source, hold
from watchword.inspect.zips import drained

_ZFILE_HEADER = 2 + 19
"""``ZF``, and the length as text of 19 characters (joblib numpy_pickle_compat); before joblib 0.8.4 a space more."""


class CompressedBroken(Exception):
    """The stream is damaged; ``so_far`` is what came out before, None when nothing did."""

    def __init__(self, oddity: Oddity, so_far: Source | None) -> None:
        super().__init__(oddity.message)
        self.oddity = oddity
        self.so_far = so_far


_ENGINES: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "zlib": lambda: zlib.decompressobj(15),
    "zfile": lambda: zlib.decompressobj(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 * 1024 * 1024),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=256 * 1024 * 1024),
}
_FOLLOWED_BY_MORE = ("gzip", "bzip2", "xz")


class _Stream:
    """The unpacked pieces, and where the packed bytes ended or broke."""

    def __init__(self, source: Source, what: str) -> None:
        self.source = source
        self.what = what
        self.end = 0
        if what == "zfile":
            self.end = _ZFILE_HEADER + (source.read_at(_ZFILE_HEADER, 1) == b" ")
        self.damage = ""

    def pieces(self) -> Iterator[bytes]:
        while True:
            engine = _ENGINES[self.what]()
            # Small first: a file of a million tiny members would otherwise be copied a hundred thousand times over.
            length = 2048
            try:
                while not engine.eof:
                    chunk = self.source.read_at(self.end, length)
                    length = min(CHUNK, length * 4)
                    if not chunk:
                        self.damage = "the stream is cut off"
                        return
                    yield from drained(engine, chunk)
                    self.end += len(chunk)
            except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
                self.damage = str(error)
                return
            self.end -= len(engine.unused_data)
            # Several members may follow each other; anything else is not part of the stream.
            again = self.source.read_at(self.end, 2) == self.source.read_at(0, 2)
            if self.what not in _FOLLOWED_BY_MORE or not again:
                return


def decompress(source: Source, what: str, budget: Budget) -> tuple[Source, int]:
    """What *source* unpacks to, and where its packed bytes end.

    Raises:
        CompressedBroken: damaged or cut off.
        TooMuch: it unpacks to more than the budget.
    """
    stream = _Stream(source, what)
    opened = hold(stream.pieces(), max(1, source.size), budget)
    if stream.damage:
        oddity = Oddity("compressed-broken", stream.end, stream.damage)
        raise CompressedBroken(oddity, opened if opened.size else None)
    return opened, stream.end
