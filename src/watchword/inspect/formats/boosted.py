"""Boosted trees: XGBoost as UBJSON, CatBoost. Read to the end for what they are; no loader runs anything in them.

UBJSON as XGBoost writes it (draft 12, with typed and counted containers); CatBoost's ``CBM1``: a length, a
FlatBuffer, and then the parts that it names.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from watchword.inspect.exhibit import MAGIC, STRUCTURE, Exhibit, Format, Malformed
from watchword.inspect.formats.flatbuffers import Buffer
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Part, Source
from watchword.limits import UBJSON_NESTING_MAX, UBJSON_VALUES_MAX

_WIDTH = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1, b"u": 2, b"m": 4, b"M": 8, b"h": 2}
_COUNTS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"u": ">H", b"m": ">I", b"M": ">Q"}
_KEPT = {"name", "version", "num_class", "num_feature", "booster", "objective"}


class _Walk:
    def __init__(self, source: Source) -> None:
        self.reader = Reader(source)
        self.left = UBJSON_VALUES_MAX
        self.told: dict[str, str] = {}
        self.keys: set[str] = set()

    def count(self, sort: bytes) -> int:
        at = self.reader.tell()
        if sort not in _COUNTS:
            raise Malformed(at, f"a length of type {sort!r}")
        code = _COUNTS[sort]
        value = int(struct.unpack(code, self.reader.take(struct.calcsize(code)))[0])
        if not 0 <= value <= self.reader.source.size:
            raise Malformed(at, f"a length of {value:,} is longer than the file")
        return value

    def mark(self) -> bytes:
        """The next type, without what only fills."""
        while True:
            sort = self.reader.take(1)
            if sort != b"N":
                return sort
            self.spend()

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Malformed(self.reader.tell(), "more values than are followed", limit=True)

    def text(self, sort: bytes) -> str:
        length = self.count(sort)
        kept = self.reader.take(min(length, 1000))
        self.reader.skip(length - len(kept))
        return kept.decode("utf-8", "backslashreplace")

    def scalar(self, sort: bytes, key: str) -> bool:
        """Pass over a value that is no container; False when it is one."""
        self.spend()
        if sort in b"ZTF":
            return True
        if sort in _WIDTH:
            self.reader.skip(_WIDTH[sort])
            return True
        if sort in b"SH":
            value = self.text(self.reader.take(1))
            if key in _KEPT and len(self.told) < 32:
                self.told.setdefault(key, value[:100])
            return True
        if sort in b"{[":
            return False
        raise Malformed(self.reader.tell() - 1, f"type {sort!r} does not exist")

    def opened(self, sort: bytes) -> tuple[bytes, bytes, int]:
        """A container that has just begun: its kind, the type of its items (empty: each has its own), their number."""
        reader = self.reader
        kind, count = b"", -1
        head = reader.source.read_at(reader.tell(), 1)
        if head == b"$":
            reader.skip(1)
            kind = reader.take(1)
            head = reader.source.read_at(reader.tell(), 1)
            if head != b"#":
                raise Malformed(reader.tell(), "a typed container without a count")
        if head == b"#":
            reader.skip(1)
            count = self.count(reader.take(1))
        if kind in _WIDTH and sort == b"[":
            reader.skip(count * _WIDTH[kind])
            return sort, kind, 0
        return sort, kind, count


def read_ubjson(source: Source) -> dict[str, str]:
    """Walk *source* to its end; texts of a few keys.

    Raises:
        Malformed: it breaks off, contradicts itself, goes on after its end, or passes a bound.
    """
    walk = _Walk(source)
    reader = walk.reader
    try:
        first = walk.mark()
        if first != b"{":
            raise Malformed(0, "does not begin with an object")
        frames = [walk.opened(first)]
        while frames:
            sort, kind, count = frames.pop()
            if count == 0:
                continue
            key = ""
            lead = b"" if kind and sort == b"[" else walk.mark()
            if count < 0 and lead == (b"}" if sort == b"{" else b"]"):
                continue
            frames.append((sort, kind, count - 1 if count > 0 else count))
            if sort == b"{":
                key = walk.text(lead)
                walk.keys.add(key) if len(walk.keys) < 1000 else None
                lead = kind or walk.mark()
            elif kind:
                lead = kind
            if not walk.scalar(lead, key):
                if len(frames) > UBJSON_NESTING_MAX:
                    raise Malformed(reader.tell(), "nests deeper than is followed", limit=True)
                frames.append(walk.opened(lead))
    except Ended:
        raise Malformed(source.size, "it is cut off") from None
    if reader.left():
        raise Malformed(reader.tell(), f"{reader.left():,} bytes after the end")
    return walk.told


def _read_ubjson(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        told = read_ubjson(exhibit.source)
    except Malformed as error:
        exhibit.malformed("boosted-broken", error, error.offset)
        return what, "up to where it is malformed"
    if told:
        exhibit.merge({"frameworks": ["xgboost"], "metadata": told})
    return what, "every value by its type, to the byte"


def _read_catboost(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    length = int.from_bytes(source.read_at(4, 4), "little")
    facts: dict[str, Any] = {}
    try:
        if 8 + length > source.size:
            raise Malformed(4, f"a core of {length:,} bytes is longer than the file")
        core = Buffer(Part(source, 8, length)).root()
        facts["frameworks"] = ["catboost"]
        facts["metadata"] = {entry.text(0, 100): entry.text(1, 1000) for entry in core.children(2)}
        if not core.place(3) and 8 + length != source.size:
            raise Malformed(8 + length, f"{source.size - 8 - length:,} bytes that no part explains")
    except Malformed as error:
        exhibit.malformed("boosted-broken", error, 0)
        return what, "up to where it is malformed"
    exhibit.merge(facts)
    return what, "the core of the model; trees passed over"


def _ubjson(source: Source, head: bytes, name: str) -> bool:
    return re.match(rb"\{(?:L\0\0\0\0\0\0\0|[iU])[\x01-\x40][a-z_]{2,}", head) is not None


FORMATS = (
    Format("ubjson", STRUCTURE, _ubjson, _read_ubjson, "ubj"),
    Format("catboost", MAGIC, lambda source, head, name: head.startswith(b"CBM1"), _read_catboost, "cbm"),
)
