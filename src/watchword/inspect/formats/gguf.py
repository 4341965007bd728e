"""GGUF, the format of llama.cpp: metadata by key, tensors by name, shape and place. Tensor data is passed over.

Follows the specification of ggml (``docs/gguf.md``, versions 1 to 3, either byte order) and what its reader refuses:
a key or a tensor twice, names of 64 bytes and more, more than 4 dimensions, an alignment that is no power of two,
tensors that are not laid one behind the other. Counts and lengths are believed only as far as the file has bytes.

* Chat templates stand in the metadata and are rendered by whoever serves the model: each is judged as a template.
* Every byte behind the metadata is a tensor's, or padding with zeros, or told.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

from watchword.inspect.exhibit import MAGIC, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.metadata_text import commands_in
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Held, Part, Source
from watchword.limits import GGUF_ARRAY_DEPTH_MAX, GGUF_ITEMS_MAX, GGUF_KEYS_MAX, GGUF_TEXT_BYTES_MAX

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_BLOCKS = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 31: ("Q4_0_4_4", 32, 18), 32: ("Q4_0_4_8", 32, 18),
    33: ("Q4_0_8_8", 32, 18), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
"""Name, elements of a block and its bytes, by type (``ggml-common.h``; 31 to 33 were removed again)."""

_CARDS = {
    "general.license": "licences", "general.base_model.0.name": "base_models", "general.datasets": "datasets",
    "general.base_model.0.repo_url": "base_models",
}  # fmt: skip


@dataclass(slots=True)
class GgufFacts:
    """``values`` keeps scalars and texts; ``texts`` are (key, offset, length) of every text that may be a template.

    ``listed`` are the tensors: name, type, shape with the slowest dimension first, where the bytes begin, their length.
    """

    version: int = 0
    order: str = "<"
    values: dict[str, Any] = field(default_factory=dict)
    texts: list[tuple[str, int, int]] = field(default_factory=list)
    tensors: int = 0
    parameters: int = 0
    listed: list[tuple[str, str, tuple[int, ...], int, int]] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    oddities: list[Oddity] = field(default_factory=list)


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.reader = Reader(source, 4)
        self.facts = GgufFacts()
        self.items = GGUF_ITEMS_MAX

    def number(self, code: str) -> Any:
        size = struct.calcsize(code)
        return struct.unpack(self.facts.order + code, self.reader.take(size))[0]

    def count(self) -> int:
        """A count or a length: 64 bits, and 32 in version 1."""
        return int(self.number("I" if self.facts.version == 1 else "Q"))

    def text(self, keep: int) -> tuple[bytes, int, int]:
        """A text cut to *keep* bytes, where it begins, and its whole length."""
        at = self.reader.tell()
        length = self.count()
        if length > self.reader.left():
            raise Malformed(at, f"a text of {length:,} bytes is longer than the file")
        start = self.reader.tell()
        kept = self.reader.take(min(length, keep))
        self.reader.skip(length - len(kept))
        return kept, start, length

    def value(self, key: str, sort: int, depth: int) -> Any:
        """A value; of arrays only texts that may be templates are kept."""
        at = self.reader.tell()
        if sort in _SCALARS:
            return self.number(_SCALARS[sort])
        if sort == _TEXT:
            kept, start, length = self.text(GGUF_TEXT_BYTES_MAX)
            if b"{%" in kept or b"{{" in kept:
                self.facts.texts.append((key, start, length))
            return kept.decode("utf-8", "backslashreplace")
        if sort != _ARRAY:
            raise Malformed(at, f"{key[:60]!r} is of type {sort}, which does not exist")
        if depth > GGUF_ARRAY_DEPTH_MAX:
            raise Malformed(at, "arrays nest deeper than is followed", limit=True)
        inner, count = int(self.number("I")), self.count()
        if inner in _SCALARS:
            size = count * struct.calcsize(_SCALARS[inner])
            if size > self.reader.left():
                raise Malformed(at, f"{key[:60]!r}: {count:,} values are more than the file has")
            self.reader.skip(size)
            return None
        self.items -= count
        if self.items < 0 or count > self.reader.left():
            limit = count <= self.reader.left()
            raise Malformed(at, f"{key[:60]!r} has {count:,} items, more than can be followed", limit)
        if inner == _TEXT and count > 64:  # a vocabulary
            self.skip_texts(count)
            return None
        texts = [self.value(key, inner, depth + 1) for _ in range(count)]
        return [text for text in texts if isinstance(text, str)] or None

    def skip_texts(self, count: int) -> None:
        """Pass over the words of a vocabulary, a quarter of a million in one file, a block at a time."""
        width = 4 if self.facts.version == 1 else 8
        order: Any = "little" if self.facts.order == "<" else "big"
        start, block, at = self.reader.tell(), b"", 0
        for _ in range(count):
            if at + width > len(block):
                start += at
                block, at = self.source.read_at(start, 1 << 18), 0
                if len(block) < width:
                    raise Ended
            length = int.from_bytes(block[at : at + width], order)
            at += width + length
            if at > len(block):
                start += at
                block, at = b"", 0
                if start > self.source.size:
                    raise Malformed(start - width - length, f"a text of {length:,} bytes is longer than the file")
        self.reader.seek(start + at)


def read_gguf(source: Source) -> GgufFacts:
    """The metadata and tensor list of *source*, checked.

    Raises:
        Malformed: it breaks off, contradicts itself, or passes a bound.
    """
    return _follow(_Parser(source))


def _follow(parser: _Parser) -> GgufFacts:
    try:
        return _whole(parser)
    except Ended:
        raise Malformed(parser.source.size, "the file ends within its metadata") from None


def _whole(parser: _Parser) -> GgufFacts:
    facts, reader = parser.facts, parser.reader
    facts.version = int(parser.number("I"))
    if facts.version > 0xFFFF:  # written by a machine of the other byte order
        facts.order, facts.version = ">", int.from_bytes(facts.version.to_bytes(4, "little"), "big")
    if facts.version not in (1, 2, 3):
        raise Malformed(4, f"version {facts.version} does not exist")
    tensors, keys = parser.count(), parser.count()
    # The shortest key takes 13 bytes, the shortest tensor 24 (version 1: 9 and 16).
    if keys > GGUF_KEYS_MAX or tensors > GGUF_KEYS_MAX or keys * 9 + tensors * 16 > reader.left():
        raise Malformed(8, f"{tensors:,} tensors and {keys:,} keys are more than the file can hold")
    for _ in range(keys):
        at = reader.tell()
        key = parser.text(65_535)[0].decode("utf-8", "backslashreplace")
        value = parser.value(key, int(parser.number("I")), 0)
        if key in facts.values:
            raise Malformed(at, f"the key {key[:60]!r} stands there twice: readers differ on which counts")
        facts.values[key] = value
    alignment = facts.values.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1) or alignment > 1 << 20:
        raise Malformed(reader.tell(), f"an alignment of {alignment!r}")
    spans = [_tensor(parser) for _ in range(tensors)]
    facts.tensors = tensors
    if len({name for (name, _, _), _, _, _ in spans}) < tensors:
        raise Malformed(reader.tell(), "two tensors have one name")
    start = -(-reader.tell() // alignment) * alignment
    facts.listed = [(*one, start + offset, length) for one, offset, length, _ in spans]
    _layout(parser, [(one[0], offset, length, at) for one, offset, length, at in spans], start, alignment)
    return facts


def _tensor(parser: _Parser) -> tuple[tuple[str, str, tuple[int, ...]], int, int, int]:
    """Name, type and shape; offset in the data, length in bytes, and where it is listed."""
    facts = parser.facts
    at = parser.reader.tell()
    raw, _, length = parser.text(256)
    name = raw.decode("utf-8", "backslashreplace")
    if length >= 64 and len(facts.oddities) < 50:
        facts.oddities.append(Oddity("gguf-gap", at, f"a tensor's name of {length:,} bytes: readers take at most 63"))
    dimensions = int(parser.number("I"))
    if dimensions > 4:
        raise Malformed(at, f"tensor {name[:60]!r} has {dimensions:,} dimensions")
    sizes = [parser.count() for _ in range(dimensions)]  # the fastest first
    elements, first = math.prod(sizes), sizes[0] if sizes else 1
    if elements >= 2**63:
        raise Malformed(at, f"tensor {name[:60]!r} has more elements than can be counted")
    sort, offset = int(parser.number("I")), int(parser.number("Q"))
    if sort not in _BLOCKS:
        raise Malformed(at, f"tensor {name[:60]!r} is of type {sort}, which is not known")
    label, block, width = _BLOCKS[sort]
    if first % block:
        raise Malformed(at, f"tensor {name[:60]!r}: rows of {first:,} are no multiple of {block}")
    facts.parameters += elements
    facts.types.add(label)
    return (name, label, tuple(reversed(sizes))), offset, elements // block * width, at


def _layout(parser: _Parser, spans: list[tuple[str, int, int, int]], start: int, alignment: int) -> None:
    """Report what of the data no tensor owns, and what two do."""
    facts, source = parser.facts, parser.source
    end = 0
    for name, offset, length, at in sorted(spans, key=lambda span: (span[1], span[2])):
        if start + offset + length > source.size:
            over = start + offset + length - source.size
            raise Malformed(at, f"tensor {name[:60]!r} ends {over:,} bytes after the file")
        if offset != end and len(facts.oddities) < 50:
            what = f"{end - offset:,} bytes overlap" if offset < end else f"{offset - end:,} bytes before"
            facts.oddities.append(Oddity("gguf-gap", start + min(offset, end), f"{what} tensor {name[:60]!r}"))
        _padding(parser, start + offset + length, start + -(-(offset + length) // alignment) * alignment)
        end = max(end, -(-(offset + length) // alignment) * alignment)
    if source.size > start + end and source.size > parser.reader.tell():
        begin = max(start + end, parser.reader.tell())
        tail = source.size - begin
        if tail >= alignment or source.read_at(begin, tail).strip(b"\0"):
            facts.oddities.append(Oddity("gguf-gap", begin, f"{tail:,} bytes after the last tensor"))
    _padding(parser, parser.reader.tell(), start)


def _padding(parser: _Parser, start: int, end: int) -> None:
    end = min(end, parser.source.size)
    if start < end and len(parser.facts.oddities) < 50 and parser.source.read_at(start, end - start).strip(b"\0"):
        words = f"{end - start:,} bytes of padding are not zeros"
        parser.facts.oddities.append(Oddity("gguf-gap", start, words))


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    parser = _Parser(source)
    broken: Malformed | None = None
    try:
        _follow(parser)
    except Malformed as error:
        broken = error.with_traceback(None)
    facts = parser.facts
    exhibit.keep(*facts.oddities)
    # What was met before damage is judged: a server may have read that far.
    for key, start, length in facts.texts[:100]:
        if length > GGUF_TEXT_BYTES_MAX:
            exhibit.odd("unpack-limit", start, f"{key[:60]!r} is longer than is read")
        exhibit.inner(f"{key[:100]}.jinja", Held(source.read_at(start, min(length, GGUF_TEXT_BYTES_MAX))))
    for oddity in facts.oddities:
        if oddity.offset is not None and "after the last tensor" in oddity.message:
            exhibit.inner(f"bytes@{oddity.offset:#x}", Part(source, oddity.offset, source.size - oddity.offset))
    _tell(exhibit, facts)
    if broken is not None:
        exhibit.malformed("gguf-broken", broken, broken.offset)
        return what, "metadata up to where it is malformed"
    return what, "every key and tensor header; every byte owned by a tensor" if not facts.oddities else "every header"


def _tell(exhibit: Exhibit, facts: GgufFacts) -> None:
    texts = {key: value for key, value in facts.values.items() if isinstance(value, str)}
    told: dict[str, Any] = {
        "frameworks": [f"gguf {facts.version}"],
        "tensors": facts.tensors,
        "parameters": facts.parameters,
        "dtypes": sorted(facts.types),
        "architecture": texts.get("general.architecture", "")[:100],
        "metadata": {key[:200]: value[:1000] for key, value in list(texts.items())[:64]},
    }
    for key, name in _CARDS.items():
        value = facts.values.get(key)
        if value:
            told.setdefault(name, []).extend([value[:200]] if isinstance(value, str) else [v[:200] for v in value])
    arrays = {key: "\n".join(value) for key, value in facts.values.items() if isinstance(value, list)}
    exhibit.keep(*commands_in(texts | arrays, None))
    exhibit.merge({key: value for key, value in told.items() if value})


def _old(exhibit: Exhibit, what: str) -> tuple[str, str]:
    exhibit.unread(0, exhibit.source.size)
    return what, "hashed; weights of a format before GGUF, whose layout only its program knows, and which none runs"


_OLD = (b"lmgg", b"fmgg", b"tjgg", b"algg")
FORMATS = (
    Format("gguf", MAGIC, lambda source, head, name: head.startswith(b"GGUF"), _read, "gguf"),
    Format("ggml", MAGIC, lambda source, head, name: head.startswith(_OLD) and len(head) > 8, _old, "ggml"),
)
