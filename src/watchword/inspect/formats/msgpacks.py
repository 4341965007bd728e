"""MessagePack, as Flax writes parameters: one map of arrays, walked value by value; array bytes are passed over.

Follows the MessagePack specification. Extension types as in ``flax.serialization``: 1 array, 2 complex, 3 scalar of
numpy. A file is taken for one by its name and its first byte, or by being a map to its end; nothing in it is run by its
loader.
"""

from __future__ import annotations

from typing import Any

from watchword.inspect.exhibit import WEAK, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.metadata_text import commands_in
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Held, Source
from watchword.limits import MSGPACK_NESTING_MAX, MSGPACK_VALUES_MAX

_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
          0xD3: 8}  # fmt: skip
_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_TEXTS = frozenset({*range(0xA6, 0xC0), 0xD9, 0xDA, 0xDB})
"""Marks of texts of more than five bytes."""
_EXTENDED = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_KNOWN_EXTENSIONS = (1, 2, 3, 255)
"""Those of Flax, and -1: a time."""


def read_msgpack(source: Source) -> tuple[dict[str, Any], list[Oddity]]:
    """Walk the one value in *source*: facts, and what no writer of parameters puts there.

    Raises:
        Malformed: malformed, or past a bound.
    """
    reader = Reader(source)
    waiting, budget, arrays = [1], MSGPACK_VALUES_MAX, 0
    odd: list[Oddity] = []
    types: set[str] = set()
    try:
        while waiting:
            if waiting[-1] == 0:
                waiting.pop()
                continue
            waiting[-1] -= 1
            budget -= 1
            at = reader.tell()
            if budget < 0 or len(waiting) > MSGPACK_NESTING_MAX:
                raise Malformed(at, "more values, or deeper ones, than are followed", limit=True)
            mark = reader.byte()
            reader.seek(at)
            text = _text_at(source, at) if mark in _TEXTS else ""
            if text:
                odd += commands_in({"a text": text}, at)[: max(0, 50 - len(odd))]
            extension = _value(reader, waiting)
            if extension is None:
                continue
            kind, start, length = extension
            if kind == 1:
                arrays += 1
                types |= _array_type(source.read_at(start, 64))
            elif kind not in _KNOWN_EXTENSIONS and len(odd) < 50:
                odd.append(Oddity("msgpack-extra", at, f"an extension of type {kind}, {length:,} bytes"))
    except Ended:
        raise Malformed(source.size, "it is cut off") from None
    if reader.left():
        odd.append(Oddity("msgpack-extra", reader.tell(), f"{reader.left():,} bytes after the end"))
    return {"tensors": arrays, "dtypes": sorted(types)}, odd


def _value(reader: Reader, waiting: list[int]) -> tuple[int, int, int] | None:
    """Pass over one value; push the number of those in it. An extension: its type, where its bytes begin, how many."""
    at = reader.tell()
    mark = reader.byte()
    if mark < 0x80 or mark >= 0xE0:
        return None
    if mark < 0xA0:
        waiting.append((mark & 15) * (2 if mark < 0x90 else 1))
    elif mark < 0xC0:
        reader.skip(mark & 31)
    elif mark in _FIXED:
        reader.skip(_FIXED[mark])
    elif mark in _SIZED:
        reader.skip(int.from_bytes(reader.take(_SIZED[mark]), "big"))
    elif mark in _EXTENDED or 0xD4 <= mark <= 0xD8:
        length = int.from_bytes(reader.take(_EXTENDED[mark]), "big") if mark in _EXTENDED else 1 << (mark - 0xD4)
        kind, start = reader.byte(), reader.tell() - 0
        reader.skip(length)
        return kind, start, length
    elif mark >= 0xDC:
        count = int.from_bytes(reader.take(2 if mark in (0xDC, 0xDE) else 4), "big")
        if count > reader.left():
            raise Malformed(at, f"{count:,} values are more than the file has")
        waiting.append(count * (2 if mark >= 0xDE else 1))
    else:
        raise Malformed(at, f"byte {mark:#x} means nothing")
    return None


def _text_at(source: Source, at: int) -> str:
    """The text that begins at *at*, cut to 4,096 bytes."""
    head = source.read_at(at, 5)
    if head[0] in (0xD9, 0xDA, 0xDB):
        width = _SIZED[head[0]]
        length, start = int.from_bytes(head[1 : 1 + width], "big"), at + 1 + width
    else:
        length, start = head[0] & 31, at + 1
    return source.read_at(start, min(length, 4096)).decode("utf-8", "replace")


def _array_type(head: bytes) -> set[str]:
    """The name of the element type in a Flax array: (shape, name, bytes)."""
    reader = Reader(Held(head))
    try:
        if reader.byte() != 0x93:
            return set()
        rank = reader.byte() & 15
        for _ in range(rank):
            _value(reader, [])
        mark = reader.byte()
        length = mark & 31 if mark < 0xC0 else reader.byte()
        return {reader.take(length).decode("ascii", "replace")[:20]}
    except (Ended, Malformed):
        return set()


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts, odd = read_msgpack(exhibit.source)
    except Malformed as error:
        exhibit.malformed("msgpack-broken", error, error.offset)
        return what, "up to where it is malformed"
    exhibit.keep(*odd)
    exhibit.merge({key: value for key, value in facts.items() if value})
    return what, "every value by its type; array bytes passed over"


def _claims(source: Source, head: bytes, name: str) -> bool:
    if not (0x80 <= head[0] < 0x90 or head[0] in (0xDE, 0xDF)):
        return False
    if name.lower().endswith((".msgpack", ".mpk", ".flax")):
        return head[0] != 0x80 or source.size == 1
    # Without a name that says so: a map that ends where the file does.
    try:
        return not read_msgpack(source)[1]
    except Malformed:
        return False


FORMATS = (Format("msgpack", WEAK, _claims, _read, "msgpack mpk flax"),)
