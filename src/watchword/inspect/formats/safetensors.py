"""The safetensors format: one JSON header, then tensors that cover the rest without gap or overlap.

Rules as in the reference implementation (safetensors ``tensor.rs``): eight bytes of header length (at most 100 MB), a
JSON object that begins with ``{``, possibly padded with spaces; each tensor has dtype, shape and offsets that agree;
offsets are contiguous from 0 to the end of the file. Here duplicate keys are refused too: readers differ on them.
The tensors themselves are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchword.inspect.exhibit import STRUCTURE, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.json_text import parse_json
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.formats.metadata_text import commands_in
from watchword.inspect.source import Source
from watchword.limits import SAFETENSORS_HEADER_BYTES_MAX, SAFETENSORS_TENSORS_MAX

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
    "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class SafetensorsBroken(Exception):
    """The header breaks a rule; ``oddity`` says which."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.oddity = Oddity("safetensors-header", offset, message)


@dataclass(frozen=True, slots=True)
class SafetensorsFacts:
    """``header``: name → dtype, shape and data_offsets, which count from ``base``. ``parameters`` counts elements;
    ``metadata`` is the text map of the header (at most 64 entries kept)."""

    header: dict[str, dict[str, Any]]
    base: int
    tensors: int
    parameters: int
    dtypes: tuple[str, ...]
    metadata: dict[str, str]
    oddities: tuple[Oddity, ...]


def looks_like_safetensors(source: Source) -> bool:
    """True when the first bytes are a header length that fits the file and an object."""
    head = source.read_at(0, 9)
    return len(head) == 9 and head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= source.size - 8


def read_safetensors(source: Source) -> SafetensorsFacts:
    """The header of *source*, checked.

    Raises:
        SafetensorsBroken: a rule of the format is broken so that readers may differ on what the file holds.
    """
    length = int.from_bytes(source.read_at(0, 8), "little")
    if length > SAFETENSORS_HEADER_BYTES_MAX:
        limit = SAFETENSORS_HEADER_BYTES_MAX
        raise SafetensorsBroken(0, f"a header of {length:,} bytes is over the limit of {limit:,}")
    raw = source.read_at(8, length)
    if len(raw) < length:
        raise SafetensorsBroken(source.size, f"ends {length - len(raw):,} bytes early")
    header = _parse(raw)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise SafetensorsBroken(8, "__metadata__ holds something else than text")
    spans, parameters, dtypes = [], 0, set()
    named: list[Oddity] = []
    for name, info in header.items():
        start, end, count = _span(name, info)
        spans.append((start, end, name))
        if leads_out(name) and len(named) < 50:
            named.append(Oddity("safetensors-name", 8, f"a tensor is named {name[:200]!r}", name[:200]))
        parameters += count
        dtypes.add(info["dtype"])
    oddities = (*named, *_coverage(spans, 8 + length, source.size))
    kept = {key[:200]: value[:1000] for key, value in list(metadata.items())[:64]}
    return SafetensorsFacts(header, 8 + length, len(spans), parameters, tuple(sorted(dtypes)), kept, oddities)


def _parse(raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise SafetensorsBroken(8, "the header names something twice")
        if len(pairs) > SAFETENSORS_TENSORS_MAX:
            raise SafetensorsBroken(8, f"more than {SAFETENSORS_TENSORS_MAX:,} tensors")
        return value

    def refuse(text: str) -> Any:
        raise SafetensorsBroken(8, f"{text} in the header")

    try:
        header = parse_json(raw, pairs=unique, constant=refuse)
    except Malformed as error:
        raise SafetensorsBroken(8 + error.offset, f"the header is {error}") from None
    if not isinstance(header, dict) or not all(isinstance(value, dict) for value in header.values()):
        raise SafetensorsBroken(8, "the header is not an object of objects")
    return header


def _span(name: str, info: dict[str, Any]) -> tuple[int, int, int]:
    """Start, end (bytes of the data area) and elements of one tensor."""
    shown = name[:60]
    if set(info) != {"dtype", "shape", "data_offsets"}:
        raise SafetensorsBroken(8, f"tensor {shown!r} has other fields than dtype, shape and data_offsets")
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise SafetensorsBroken(8, f"tensor {shown!r} has the unknown dtype {str(dtype)[:20]!r}")
    numbers = [*shape, *offsets] if isinstance(shape, list) and isinstance(offsets, list) else [None]
    if not all(type(n) is int and 0 <= n < 2**63 for n in numbers) or len(offsets) != 2:
        raise SafetensorsBroken(8, f"tensor {shown!r} has a malformed shape or offsets")
    count = 1
    for n in shape:
        count *= n
    if (offsets[1] - offsets[0]) * 8 != count * _BITS[dtype]:
        raise SafetensorsBroken(8, f"tensor {shown!r}: {offsets[1] - offsets[0]:,} bytes for {count:,} of {dtype}")
    return offsets[0], offsets[1], count


def _coverage(spans: list[tuple[int, int, str]], base: int, size: int) -> list[Oddity]:
    """Gaps and overlaps of the data area, which begins at *base*."""
    found = []
    at = 0
    for start, end, name in sorted(spans):
        if start != at:
            what = f"{start - at:,} bytes before" if start > at else f"{at - start:,} bytes overlap"
            found.append(Oddity("safetensors-gap", base + min(start, at), f"{what} tensor {name[:60]!r}"))
        at = max(at, end)
    if base + at < size:
        found.append(Oddity("safetensors-gap", base + at, f"{size - base - at:,} bytes after the last tensor"))
    elif base + at > size:
        raise SafetensorsBroken(size, f"ends {base + at - size:,} bytes early")
    return found[:50]


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_safetensors(exhibit.source)
    except SafetensorsBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, exhibit.source.size)
        return what, "the header only"
    exhibit.keep(*facts.oddities)
    exhibit.merge({"tensors": facts.tensors, "parameters": facts.parameters, "dtypes": list(facts.dtypes)})
    exhibit.keep(*commands_in(facts.metadata, 8))
    if facts.metadata:
        exhibit.merge({"metadata": facts.metadata})
    return what, "header checked, every byte owned by a tensor" if not facts.oddities else "header checked"


FORMATS = (
    Format("safetensors", STRUCTURE, lambda source, head, name: looks_like_safetensors(source), _read, "safetensors"),
)
