"""The .npy format (NEP 1, versions 1.0 to 3.0): a literal header, then array bytes or, for object arrays, a pickle.

The header is parsed by a grammar of literals (``ast.literal_eval`` on at most 64 KiB), never evaluated.
"""

from __future__ import annotations

import ast
import re
import struct
from dataclasses import dataclass
from typing import Any

from watchword.inspect.exhibit import MAGIC, Exhibit, Format
from watchword.inspect.facts import Oddity
from watchword.inspect.pickles.judge import judge_pickle
from watchword.inspect.pickles.program import loaders_of
from watchword.inspect.source import Part, Source
from watchword.limits import NUMPY_HEADER_BYTES_MAX

_MARK = b"\x93NUMPY"
_ITEM = {"b": None, "i": None, "u": None, "f": None, "c": None, "m": None, "M": None, "V": None, "S": None, "U": 4}


class NumpyBroken(Exception):
    """The header is not that of a .npy file; ``oddity`` says why."""

    def __init__(self, offset: int, message: str, evidence: str = "") -> None:
        super().__init__(message)
        self.oddity = Oddity("numpy-header", offset, message, evidence)


@dataclass(frozen=True, slots=True)
class NumpyFacts:
    """An array: numpy's ``descr`` text, its shape, where the data begins, and its length in bytes (None: objects)."""

    descr: str
    shape: tuple[int, ...]
    start: int
    length: int | None


def read_numpy(source: Source) -> NumpyFacts:
    """The header of *source*, which begins with the magic.

    Raises:
        NumpyBroken: not exactly the documented dictionary, or too long.
    """
    head = source.read_at(0, 12)
    version = tuple(head[6:8])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise NumpyBroken(6, f"version {head[6:8].hex('.')} does not exist")
    prefix = 10 if version == (1, 0) else 12
    if len(head) < prefix:
        raise NumpyBroken(len(head), "the header is cut off")
    length = struct.unpack("<H" if version == (1, 0) else "<I", head[8:prefix])[0]
    if length > NUMPY_HEADER_BYTES_MAX:
        raise NumpyBroken(8, f"a header of {length:,} bytes is over the limit of {NUMPY_HEADER_BYTES_MAX:,}")
    raw = source.read_at(prefix, length)
    if len(raw) < length:
        raise NumpyBroken(source.size, "the header is cut off")
    descr, shape = _parse(raw, version, prefix)
    count = 1
    for size in shape:
        count *= size
    item = _item_size(descr, 0)
    shown = descr if isinstance(descr, str) else f"structure of {len(descr)} fields"
    return NumpyFacts(shown, shape, prefix + length, None if item is None else count * item)


def _parse(raw: bytes, version: tuple[int, ...], prefix: int) -> tuple[Any, tuple[int, ...]]:
    try:
        text = raw.decode("utf-8" if version == (3, 0) else "latin-1")
        if version != (3, 0):  # as numpy does: Python 2 wrote the numbers of a shape as longs
            text = re.sub(r"(?<=[(, ]\d)(\d*)L(?=[,) ])", r"\1", text)
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise NumpyBroken(prefix, "the header is not a literal", raw[:200].decode("latin-1")) from error
    if not isinstance(value, dict) or set(value) != {"descr", "fortran_order", "shape"}:
        raise NumpyBroken(prefix, "the header is not the documented dictionary", raw[:200].decode("latin-1"))
    shape = value["shape"]
    if (
        not isinstance(shape, tuple)
        or len(shape) > 64
        or not all(type(n) is int and 0 <= n < 2**63 for n in shape)
        or not isinstance(value["fortran_order"], bool)
        or not isinstance(value["descr"], str | list)
    ):
        raise NumpyBroken(prefix, "the header's values are of the wrong types", raw[:200].decode("latin-1"))
    return value["descr"], shape


def _item_size(descr: Any, depth: int) -> int | None:
    """Bytes per item; None when there are objects in it.

    Raises:
        NumpyBroken: not a type description.
    """
    if isinstance(descr, str):
        kind, digits = descr.lstrip("<>|=")[:1], descr.lstrip("<>|=")[1:].partition("[")[0]
        if kind == "O":
            return None
        if kind not in _ITEM or not digits.isdigit() or len(digits) > 12:
            raise NumpyBroken(0, f"the type {descr[:40]!r} is not known")
        return int(digits) * (_ITEM[kind] or 1)
    if not isinstance(descr, list) or depth > 16 or len(descr) > 10_000:
        raise NumpyBroken(0, "the type description is malformed")
    total = 0
    for part in descr:
        if not isinstance(part, tuple) or len(part) not in (2, 3):
            raise NumpyBroken(0, "the type description is malformed")
        item = _item_size(part[1], depth + 1)
        if item is None:
            return None
        if len(part) == 3:
            dimensions = part[2] if isinstance(part[2], tuple) else (part[2],)
            for n in dimensions:
                if type(n) is not int or n < 0:
                    raise NumpyBroken(0, "the type description is malformed")
                item *= n
        total += item
    return total


def _behind(exhibit: Exhibit) -> None:
    """Judge what follows a header that is not understood, if it is a pickle."""
    source = exhibit.source
    head = source.read_at(0, 12)
    wide = head[6:7] != b"\1"
    start = (12 if wide else 10) + int.from_bytes(head[8:12] if wide else head[8:10], "little")
    rest = Part(source, start, source.size - start)
    if rest.size and judge_pickle(rest).proven:
        exhibit.inner(f"bytes@{start:#x}", rest)


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    try:
        facts = read_numpy(source)
    except NumpyBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, exhibit.source.size)
        # A type that is not understood here may be one of objects to numpy: then it unpickles what follows.
        _behind(exhibit)
        return what, "the header only"
    exhibit.merge({"tensors": 1, "dtypes": [facts.descr]})
    if facts.length is None:
        report = judge_pickle(Part(source, facts.start, source.size - facts.start))
        exhibit.keep_all(
            Oddity(o.rule, None if o.offset is None else o.offset + facts.start, o.message, o.evidence)
            for o in report.oddities
        )
        exhibit.merge(report.facts)
        if "program" in report.facts:
            exhibit.merge({"loaders": loaders_of("npy", exhibit.path)})
        return what, "an array of objects: every opcode followed"
    end = facts.start + facts.length
    if source.size != end:
        over = source.size - end
        words = f"{over:,} bytes too many" if over > 0 else f"ends {-over:,} bytes early"
        exhibit.odd("numpy-size", min(end, source.size), words)
    return what, "header checked, the rest is array data to the byte"


FORMATS = (Format("npy", MAGIC, lambda source, head, name: head.startswith(_MARK), _read, "npy"),)
