"""A walk over the protobuf wire format by a table of fields. What the table does not name is passed over by length.

Follows the encoding specification of protobuf. Nesting, messages and texts are bounded; a field that breaks off, or is
longer than what it stands in, ends the walk with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from watchword.inspect.exhibit import Malformed
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Source
from watchword.limits import PROTOBUF_MESSAGES_MAX, PROTOBUF_NESTING_MAX, PROTOBUF_TEXT_BYTES_MAX

Table = Mapping[str, Mapping[int, str]]
"""Message → field → another message, ``text``, ``texts`` (all of a repeated field are kept), or ``int``."""


@dataclass(slots=True)
class Message:
    """One message, with what the table wants of it. Offsets are absolute; ``end`` is where it stops."""

    kind: str
    start: int
    end: int
    values: dict[int, str | int] = field(default_factory=dict)
    lists: dict[int, list[str]] = field(default_factory=dict)

    def text(self, number: int) -> str:
        value = self.values.get(number, "")
        return value if isinstance(value, str) else ""

    def int(self, number: int) -> int:
        value = self.values.get(number, 0)
        return value if isinstance(value, int) else 0


Closed = Callable[[Message, list[Message]], None]
"""Called with each message when it is complete, and with those that it stands in, outermost first."""


def walk(source: Source, table: Table, root: str, closed: Closed) -> None:
    """Walk the message *root* that is the whole of *source*.

    Raises:
        Malformed: it breaks off, contradicts itself, or passes a bound.
    """
    reader = Reader(source)
    frames = [Message(root, 0, source.size)]
    count = 0
    try:
        while frames:
            frame = frames[-1]
            at = reader.tell()
            if at >= frame.end:
                if at > frame.end:
                    raise Malformed(at, f"a {frame.kind} is longer than what it stands in")
                closed(frames.pop(), frames)
                continue
            number, wire = divmod(varint(reader), 8)
            what = table[frame.kind].get(number, "")
            if wire == 2:
                length = varint(reader)
                if reader.tell() + length > frame.end:
                    raise Malformed(at, f"a field of {length:,} bytes is longer than its {frame.kind}")
                if what in table:
                    count += 1
                    if count > PROTOBUF_MESSAGES_MAX or len(frames) > PROTOBUF_NESTING_MAX:
                        raise Malformed(at, "more messages, or deeper ones, than are followed", limit=True)
                    frames.append(Message(what, at, reader.tell() + length))
                elif what in ("text", "texts"):
                    _keep(reader, frame, number, length, what == "texts")
                else:
                    reader.skip(length)
            elif wire == 0:
                value = varint(reader)
                if what == "int":
                    frame.values[number] = value
            elif wire in (1, 5):
                reader.skip(8 if wire == 1 else 4)
            else:
                raise Malformed(at, f"wire type {wire} does not occur here")
    except Ended:
        raise Malformed(source.size, "the message is cut off") from None


def _keep(reader: Reader, frame: Message, number: int, length: int, all_of_them: bool) -> None:
    kept = reader.take(min(length, PROTOBUF_TEXT_BYTES_MAX)).decode("utf-8", "backslashreplace")
    reader.skip(max(0, length - PROTOBUF_TEXT_BYTES_MAX))
    frame.values[number] = kept
    if all_of_them:
        kept_before = frame.lists.setdefault(number, [])
        if len(kept_before) < 10_000:
            kept_before.append(kept)


def fields(source: Source, start: int = 0, count: int = 64) -> list[tuple[int, int, int, int]]:
    """The first *count* fields from *start*: number, wire type, where its content begins, its length or value.

    Raises:
        Malformed: there is something else than fields up to the end of *source*.
    """
    reader = Reader(source, start)
    found: list[tuple[int, int, int, int]] = []
    try:
        while reader.left() > 0 and len(found) < count:
            number, wire = divmod(varint(reader), 8)
            if not number or wire not in (0, 1, 2, 5):
                raise Malformed(reader.tell(), "not a field")
            value = varint(reader) if wire in (0, 2) else 8 if wire == 1 else 4
            found.append((number, wire, reader.tell(), value))
            if wire:
                reader.skip(value)
    except Ended:
        raise Malformed(source.size, "a field is cut off") from None
    return found


def varint(reader: Reader) -> int:
    """The next number in base 128.

    Raises:
        Malformed: it has more than 64 bits.
        Ended: it is cut off.
    """
    value = shift = 0
    while True:
        byte = reader.byte()
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
        if shift > 63:
            raise Malformed(reader.tell(), "a number of more than 64 bits")
