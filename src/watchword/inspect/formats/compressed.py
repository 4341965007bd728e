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

from watchword.inspect.exhibit import MAGIC, STRUCTURE, WEAK, Exhibit, Format
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.zips import drained
from watchword.inspect.source import CHUNK, Budget, Part, Source, TooMuch, hold

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


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    if not exhibit.goes_deeper():
        return what, "not unpacked"
    try:
        opened, end = decompress(source, what, exhibit.budget)
    except TooMuch as error:
        exhibit.odd("unpack-limit", None, str(error))
        return what, "unpacking stopped at a limit"
    except CompressedBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, source.size)
        if error.so_far is None:
            return what, "not readable as a compressed stream"
        opened, end = error.so_far, source.size
    if end < source.size and source.read_at(end, 4096).strip(b"\0"):
        exhibit.odd("compressed-trailing", end, f"{source.size - end:,} bytes after the end")
        exhibit.judge(f"{exhibit.path}:bytes@{end:#x}", Part(source, end, source.size - end))
    inner, looked = exhibit.judge(f"{exhibit.path}:unpacked", opened)
    return what, f"unpacked: {inner}, {looked}"


def _gzip(source: Source, head: bytes, name: str) -> bool:
    return head.startswith(b"\x1f\x8b\x08") and len(head) > 3


def _bzip2(source: Source, head: bytes, name: str) -> bool:
    return head.startswith(b"BZh") and head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")


def _lzma(source: Source, head: bytes, name: str) -> bool:
    return head[:3] == b"\x5d\x00\x00" and len(head) > 13


def _zlib(source: Source, head: bytes, name: str) -> bool:
    return head[:1] == b"\x78" and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0


_PICKLED = "pkl pickle p pck dill joblib "
FORMATS = (
    Format("gzip", MAGIC, _gzip, _read, _PICKLED + "gz tgz nemo"),
    Format("bzip2", MAGIC, _bzip2, _read, _PICKLED + "bz2"),
    Format("xz", MAGIC, lambda source, head, name: head.startswith(b"\xfd7zXZ\0"), _read, _PICKLED + "xz"),
    Format("zfile", MAGIC, lambda source, head, name: head.startswith(b"ZF0x"), _read, _PICKLED),
    Format("lzma", STRUCTURE, _lzma, _read, _PICKLED),
    Format("zlib", WEAK, _zlib, _read, _PICKLED),
)
