"""Engines that unpack packed bytes piece by piece: what zip, 7z and single compressed streams have in common.

* No piece is longer than a mebibyte, so that a bomb is met in pieces and the budget stops it (``source.hold``).
* Damage is a :class:`Damaged` at the place where it is met: what came out before has been handed on by then.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchword.inspect.source import CHUNK, Budget, Held, Source, TooMuch, chunks_of, hold
from watchword.limits import UNPACKING_WINDOW_BYTES_MAX

_PIECE = 1 << 20


class Damaged(Exception):
    """The packed bytes cannot be unpacked further; the message says why."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out. ``damage`` says why it ends early; ``limit``, which limit stopped it. Both empty: all of it.

    What came out before is judged in any case: a streaming loader has run it by then.
    """

    source: Source
    damage: str = ""
    limit: str = ""


def unpack(chunks: Iterator[bytes], packed: int, budget: Budget) -> Unpacked:
    """Keep *chunks*, which came from *packed* bytes, under *budget*."""
    broken = []

    def until_damage() -> Iterator[bytes]:
        try:
            yield from chunks
        except Damaged as error:
            broken.append(str(error))

    try:
        opened = hold(until_damage(), max(1, packed), budget)
    except TooMuch as error:
        return Unpacked(error.so_far or Held(b""), limit=str(error))
    return Unpacked(opened, damage=broken[0] if broken else "")


def inflated(packed: Source, start: int = 0) -> Iterator[bytes]:
    """A raw deflate stream (RFC 1951)."""
    return _fed(zlib.decompressobj(-15), packed, start)


def bunzipped(packed: Source, start: int = 0) -> Iterator[bytes]:
    """One bzip2 stream."""
    return _fed(bz2.BZ2Decompressor(), packed, start)


def unxzed(packed: Source, start: int = 0) -> Iterator[bytes]:
    """One xz stream."""
    return _fed(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=UNPACKING_WINDOW_BYTES_MAX), packed, start)


def raw_lzma(packed: Source, filters: list[dict[str, Any]], start: int = 0, size: int = -1) -> Iterator[bytes]:
    """LZMA or LZMA2 without a container. *size*: bytes that come out, where the stream does not say its end."""
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError, OverflowError, MemoryError) as error:
        raise Damaged(f"its properties are not readable: {error}") from error
    return _fed(engine, packed, start, size)


def lzma_filter(identity: int, properties: bytes) -> dict[str, Any]:
    """The properties of LZMA (5 bytes) or LZMA2 (one), as the filter that :func:`raw_lzma` takes.

    Raises:
        Damaged: they ask for a window over the limit, or mean nothing.
    """
    if identity == lzma.FILTER_LZMA2:
        if len(properties) != 1 or properties[0] > 40:
            raise Damaged("its properties are not readable")
        window = (2 | (properties[0] & 1)) << (properties[0] // 2 + 11)
        found: dict[str, Any] = {"id": identity, "dict_size": max(4096, min(window, 0xFFFFFFFF))}
    else:
        if len(properties) != 5 or properties[0] >= 225:
            raise Damaged("its properties are not readable")
        rest, lc = divmod(properties[0], 9)
        pb, lp = divmod(rest, 5)
        window = max(4096, int.from_bytes(properties[1:5], "little"))
        found = {"id": identity, "dict_size": window, "lc": lc, "lp": lp, "pb": pb}
    if window > UNPACKING_WINDOW_BYTES_MAX:
        raise Damaged(f"its window of {window:,} bytes is over the limit of {UNPACKING_WINDOW_BYTES_MAX:,}")
    return found


def zstandard_frames(packed: Source) -> Iterator[bytes]:
    """Zstandard frames, one after another (RFC 8878)."""
    import zstandard

    engine = zstandard.ZstdDecompressor(max_window_size=UNPACKING_WINDOW_BYTES_MAX)
    try:
        with engine.stream_reader(_File(packed), read_size=CHUNK, read_across_frames=True) as reader:  # type: ignore[arg-type]
            while piece := reader.read(_PIECE):
                yield piece
    except zstandard.ZstdError as error:
        raise Damaged(str(error).removeprefix("zstd decompress error: ").lower()) from error


def drained(engine: Any, chunk: bytes) -> Iterator[bytes]:
    """What *engine* (of zlib, bz2, lzma or lz4.frame) makes of *chunk*, a mebibyte at a time."""
    if not hasattr(engine, "unconsumed_tail"):
        yield engine.decompress(chunk, _PIECE)
        while not engine.eof and not engine.needs_input:
            yield engine.decompress(b"", _PIECE)
        return
    # zlib leaves ``unconsumed_tail`` as it was when the stream ends: without a look at ``eof`` there is no end to it.
    while chunk and not engine.eof:
        yield engine.decompress(chunk, _PIECE)
        chunk = engine.unconsumed_tail
    if engine.eof:
        return
    while more := engine.decompress(b"", _PIECE):
        yield more


def _fed(engine: Any, packed: Source, start: int, size: int = -1) -> Iterator[bytes]:
    given = 0
    try:
        for chunk in chunks_of(packed, start):
            for piece in drained(engine, chunk):
                # A decoder that does not know the end makes a few bytes too many of the last ones.
                yield piece if size < 0 else piece[: size - given]
                given += len(piece)
                if 0 <= size <= given:
                    return
            if engine.eof:
                return
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise Damaged(str(error)) from error
    if not engine.eof and given != size:
        raise Damaged("the stream is cut off")


class _File(io.RawIOBase):
    """A source as the file that an engine wants to read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.source.read_at(self.at, len(buffer))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)
