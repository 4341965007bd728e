"""Compressed single streams, as joblib and tar write them: gzip, bzip2, xz, lzma, zlib, zstd, lz4, joblib's old ZFile.

Unpacked piece by piece under the budget of the delivered file. What was unpacked before damage or a limit is judged: a
streaming loader has run it by then. What stands in headers that decoders pass over (gzip extra fields and comments,
skippable frames of zstd and lz4) is judged as a file of its own.

Follows RFC 1952 (gzip), RFC 8878 (zstd), and the frame formats of xz and LZ4.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from watchword.inspect.exhibit import MAGIC, STRUCTURE, WEAK, Exhibit, Format
from watchword.inspect.formats.unpacking import Damaged, drained, unpack, zstandard_frames
from watchword.inspect.source import CHUNK, Part, Source
from watchword.limits import UNPACKING_FRAMES_MAX, UNPACKING_WINDOW_BYTES_MAX

_ZFILE_HEADER = 2 + 19
"""``ZF``, and the length as text of 19 characters (joblib numpy_pickle_compat); before joblib 0.8.4 a space more."""

_ZSTD, _LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
_GZIP_TEXTS_BYTES = 4096  # of a name and a comment; what is longer is told and judged up to here


def _lz4() -> Any:
    import lz4.frame  # type: ignore[import-untyped]

    return lz4.frame.LZ4FrameDecompressor()


_ENGINES: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "zlib": lambda: zlib.decompressobj(15),
    "zfile": lambda: zlib.decompressobj(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=UNPACKING_WINDOW_BYTES_MAX),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=UNPACKING_WINDOW_BYTES_MAX),
    "lz4": _lz4,
}
_FOLLOWED_BY_MORE = ("gzip", "bzip2", "xz", "lz4")


class _Stream:
    """The unpacked pieces; where the packed bytes end; and what stands in headers, as (offset, length)."""

    def __init__(self, source: Source, what: str) -> None:
        self.source = source
        self.what = what
        self.end = 0
        self.aside: list[tuple[int, int]] = []
        if what == "zfile":
            self.end = _ZFILE_HEADER + (source.read_at(_ZFILE_HEADER, 1) == b" ")

    def pieces(self) -> Iterator[bytes]:
        if self.what == "zstd":
            yield from self._zstd()
            return
        while True:
            if self.what == "gzip":
                self._gzip_header()
            engine = _ENGINES[self.what]()
            # Small first: a file of a million tiny members would otherwise be copied a hundred thousand times over.
            length = 2048
            try:
                while not engine.eof:
                    chunk = self.source.read_at(self.end, length)
                    length = min(CHUNK, length * 4)
                    if not chunk:
                        raise Damaged("the stream is cut off")
                    yield from drained(engine, chunk)
                    self.end += len(chunk)
            except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError, RuntimeError) as error:
                raise Damaged(str(error)) from error
            self.end -= len(engine.unused_data or b"")
            # Several members may follow each other; anything else is not part of the stream.
            again = self.source.read_at(self.end, 2) == self.source.read_at(0, 2)
            if self.what not in _FOLLOWED_BY_MORE or not again:
                return

    def _zstd(self) -> Iterator[bytes]:
        """Frame by frame, so that skippable frames and the end are known. Neighbours are unpacked in one go."""
        for _ in range(UNPACKING_FRAMES_MAX):
            mark = self.source.read_at(self.end, 8)
            if mark[1:4] == b"\x2a\x4d\x18" and 0x50 <= mark[0] <= 0x5F and len(mark) == 8:
                length = int.from_bytes(mark[4:], "little")
                self.aside.append((self.end + 8, length))
                self.end += 8 + length
            elif mark[:4] == _ZSTD:
                end = _zstd_end(self.source, self.end)
                yield from zstandard_frames(Part(self.source, self.end, end - self.end))
                if end > self.source.size:
                    raise Damaged("the stream is cut off")
                self.end = end
            else:
                return
        raise Damaged(f"more than {UNPACKING_FRAMES_MAX:,} frames")

    def _gzip_header(self) -> None:
        head = self.source.read_at(self.end, 12)
        if len(head) < 12 or not head[3] & 0x1C or len(self.aside) > 100:
            return
        flags, at = head[3], self.end + 10
        if flags & 4:
            length = int.from_bytes(head[10:12], "little")
            if length > 64:  # bgzip and the like keep six bytes there
                self.aside.append((at + 2, length))
            at += 2 + length
        # A name is ordinary; a comment, which no common writer makes, may be as long as it likes.
        texts = self.source.read_at(at, _GZIP_TEXTS_BYTES)
        for bit, honest in ((8, 1024), (16, 0)):
            if flags & bit:
                length = texts.find(b"\0")
                length = length if length >= 0 else len(texts)
                if length > honest:
                    self.aside.append((at, length))
                at, texts = at + length + 1, texts[length + 1 :]


def _zstd_end(source: Source, start: int) -> int:
    """Where the frame at *start* ends, by its block headers (RFC 8878, 3.1.1); past the end of *source* if cut off."""
    descriptor = (source.read_at(start + 4, 1) or b"\0")[0]
    single = descriptor >> 5 & 1
    content = (single, 2, 4, 8)[descriptor >> 6]
    at = start + 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + content
    while True:
        head = source.read_at(at, 3)
        if len(head) < 3:
            return source.size + 1
        value = int.from_bytes(head, "little")
        at += 3 + (1 if value >> 1 & 3 == 1 else value >> 3)
        if value & 1:
            return at + 4 * (descriptor >> 2 & 1)


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    if not exhibit.goes_deeper():
        return what, "not unpacked"
    stream = _Stream(source, what)
    opened = unpack(stream.pieces(), source.size, exhibit.budget)
    end = stream.end
    if opened.limit:
        exhibit.odd("unpack-limit", None, opened.limit)
        end = source.size
    elif opened.damage:
        exhibit.odd("compressed-broken", end, opened.damage)
        exhibit.unread(end, source.size)
        end = source.size
    for at, length in stream.aside:
        if any(source.read_at(at, min(length, CHUNK))):
            exhibit.odd("compressed-aside", at, f"{length:,} bytes in a header that decoders pass over")
            exhibit.inner(f"bytes@{at:#x}", Part(source, at, length))
    if end < source.size and source.read_at(end, 4096).strip(b"\0"):
        exhibit.odd("compressed-trailing", end, f"{source.size - end:,} bytes after the end")
        exhibit.judge(f"{exhibit.path}:bytes@{end:#x}", Part(source, end, source.size - end))
    if not opened.source.size and (opened.damage or opened.limit):
        return what, "not readable as a compressed stream"
    inner, looked = exhibit.judge(f"{exhibit.path}:unpacked", opened.source)
    return what, f"unpacked: {inner}, {looked}"


def _gzip(source: Source, head: bytes, name: str) -> bool:
    return head.startswith(b"\x1f\x8b\x08") and len(head) > 3


def _bzip2(source: Source, head: bytes, name: str) -> bool:
    return head.startswith(b"BZh") and head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")


def _zstd(source: Source, head: bytes, name: str) -> bool:
    # A skippable frame may come first: decoders pass over it.
    skipped = head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return head.startswith(_ZSTD) or (skipped and _after_skippable(source) in (_ZSTD, _LZ4))


def _after_skippable(source: Source) -> bytes:
    return source.read_at(8 + int.from_bytes(source.read_at(4, 4), "little"), 4)


def _lzma(source: Source, head: bytes, name: str) -> bool:
    return head[:3] == b"\x5d\x00\x00" and len(head) > 13


def _zlib(source: Source, head: bytes, name: str) -> bool:
    return head[:1] == b"\x78" and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0


_PICKLED = "pkl pickle p pck dill joblib "
FORMATS = (
    Format("gzip", MAGIC, _gzip, _read, _PICKLED + "gz tgz nemo npy rds rda rdata"),
    Format("bzip2", MAGIC, _bzip2, _read, _PICKLED + "bz2 tbz2 rds"),
    Format("xz", MAGIC, lambda source, head, name: head.startswith(b"\xfd7zXZ\0"), _read, _PICKLED + "xz txz rds"),
    Format("zstd", MAGIC, _zstd, _read, _PICKLED + "zst zstd tzst"),
    Format("lz4", MAGIC, lambda source, head, name: head.startswith(_LZ4), _read, _PICKLED + "lz4"),
    Format("zfile", MAGIC, lambda source, head, name: head.startswith(b"ZF0x"), _read, _PICKLED),
    Format("lzma", STRUCTURE, _lzma, _read, _PICKLED + "lzma"),
    Format("zlib", WEAK, _zlib, _read, _PICKLED),
)
