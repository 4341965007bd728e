"""PaddlePaddle programs (``__model__``, ``.pdmodel``): operators, and the paths that they are given.

Field numbers as in ``framework.proto`` of PaddlePaddle 2. Parameters beside a program are raw arrays (``.pdiparams``)
or pickles (``.pdparams``), which are judged as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from watchword.inspect.exhibit import WEAK, Exhibit, Format, Malformed
from watchword.inspect.formats.protobuf import Message, fields, walk
from watchword.inspect.source import Held, Part, Source
from watchword.limits import PADDLE_TENSORS_MAX

_TABLE: dict[str, dict[int, str]] = {
    "program": {1: "block"},
    "block": {4: "operator"},
    "operator": {3: "text", 4: "attribute"},
    "attribute": {1: "text", 5: "text", 8: "texts"},
}


@dataclass(slots=True)
class PaddleFacts:
    """``operators``: type → offset of its first use. ``texts``: (operator, attribute, value, offset)."""

    operators: dict[str, int] = field(default_factory=dict)
    texts: list[tuple[str, str, str, int]] = field(default_factory=list)
    nodes: int = 0


def read_paddle(source: Source) -> PaddleFacts:
    """Walk the program in *source*.

    Raises:
        Malformed: it breaks off, contradicts itself, or passes a bound.
    """
    facts = PaddleFacts()
    pending: list[tuple[str, str, int]] = []

    def closed(message: Message, around: list[Message]) -> None:
        if message.kind == "attribute":
            for value in [message.text(5), *message.lists.get(8, ())][:100]:
                if value:
                    pending.append((message.text(1)[:100], value[:2000], message.start))
        elif message.kind == "operator":
            facts.nodes += 1
            sort = message.text(3)[:100]
            facts.operators.setdefault(sort, message.start)
            if len(facts.texts) < 100_000:
                facts.texts += [(sort, *entry) for entry in pending]
            pending.clear()

    walk(source, _TABLE, "program", closed)
    return facts


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_paddle(exhibit.source)
    except Malformed as error:
        exhibit.malformed("paddle-broken", error, error.offset)
        return what, "up to where it is malformed"
    exhibit.check(facts)
    exhibit.merge({"frameworks": ["paddlepaddle"], "operators": sorted(facts.operators)[:200], "nodes": facts.nodes})
    return what, "every operator and its texts"


def _claims(source: Source, head: bytes, name: str) -> bool:
    if head[:1] != b"\x0a" or source.size < 8:
        return False
    try:
        outer = fields(source)
        if not all((number, wire) in ((1, 2), (4, 2), (5, 2)) for number, wire, _, _ in outer):
            return False
        _, _, start, length = outer[0]
        inner = fields(Part(source, start, length), count=4)
    except Malformed:
        return name.rpartition("/")[2] == "__model__" or name.endswith(".pdmodel")
    # A block begins with its number and its parent's.
    return [(number, wire) for number, wire, _, _ in inner[:2]] == [(1, 0), (2, 0)]


_ITEM_BYTES = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16}


def tensors_in(source: Source) -> tuple[int, int, int]:
    """Tensors that stand one behind the other in *source* (``tensor_util.cc``): how many, their elements, their end.

    Each is a version, levels of sequence lengths, a version, a description as a protobuf, and raw data.
    """
    at = count = elements = 0
    while at < source.size and count < PADDLE_TENSORS_MAX:
        head = source.read_at(at, 12)
        levels = int.from_bytes(head[4:], "little")
        if len(head) < 12 or any(head[:4]) or levels > 8:
            break
        place = at + 12
        for _ in range(levels):
            place += 8 + int.from_bytes(source.read_at(place, 8), "little")
        sizes = source.read_at(place, 8)
        length = int.from_bytes(sizes[4:], "little")
        if len(sizes) < 8 or any(sizes[:4]) or not 0 < length < 1024:
            break
        try:
            described = fields(Held(source.read_at(place + 8, length)))
        except Malformed:
            break
        dimensions = [value for number, wire, _, value in described if (number, wire) == (2, 0)]
        item = next((_ITEM_BYTES.get(value, 0) for number, wire, _, value in described if (number, wire) == (1, 0)), 0)
        total = math.prod(dimensions)
        end = place + 8 + length + item * total
        if not item or end > source.size:
            break
        at, count, elements = end, count + 1, elements + total
    return count, elements, at


def _params(source: Source, head: bytes, name: str) -> bool:
    return head[:4] == b"\0\0\0\0" and source.size > 24 and tensors_in(source)[2] == source.size


def _read_params(exhibit: Exhibit, what: str) -> tuple[str, str]:
    count, elements, _ = tensors_in(exhibit.source)
    exhibit.merge({"frameworks": ["paddlepaddle"], "tensors": count, "parameters": elements})
    return what, "every tensor's header, to the byte; data passed over"


FORMATS = (
    Format("paddle", WEAK, _claims, _read, "pdmodel"),
    Format("paddle parameters", WEAK, _params, _read_params, "pdiparams"),
)
