"""The tensors of a file: name, type, shape, and where their bytes stand. Nothing of their content is read.

From safetensors, ``.npy`` and ``.npz``, PyTorch's zip archives (names and views from the pickle, followed by symbols),
ONNX initialisers with their data inside, and GGUF. Types are written as safetensors does (F32, BF16 …); what is packed
in blocks keeps GGUF's name (``Q4_K``).

* A tensor of PyTorch whose strides are not those of its shape is listed with its storage's bytes from its offset.
* Not listed: ONNX data in other files (they are files of the release themselves), HDF5, PyTorch before 1.6, pickles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchword.inspect.source import Budget, Part, Source, TooMuch
from watchword.limits import SAFETENSORS_TENSORS_MAX

BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "C64": 8, "F64": 8, "I64": 8, "U64": 8, "C128": 16,
}  # fmt: skip
"""Bytes of an element of each type."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """``offset`` is where the bytes begin in the delivered file; None where they had to be unpacked. ``is_array``: from
    a file of numpy."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: Source
    offset: int | None
    is_array: bool = False

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


def tensors_of(source: Source) -> list[Tensor] | None:
    """The tensors in *source*, in the order of the file; None when it is of no format that lists them, or damaged.

    What is damaged is told by the format's own reader; here it only means that there is nothing to compare.
    """
    head = source.read_at(0, 16)
    readers = (
        (head.startswith(b"GGUF"), _gguf),
        (head.startswith(b"\x93NUMPY"), _npy),
        (head.startswith(b"PK\x03\x04"), _zip),
        (head[8:9] == b"{", _safetensors),
        (head[:1] in (b"\x08", b"\x12", b"\x3a"), _onnx),
    )
    for fits, read in readers:
        if fits:
            try:
                found: list[Tensor] = []
                for tensor in read(source):
                    if len(found) >= SAFETENSORS_TENSORS_MAX:
                        return None
                    found.append(tensor)
            except _Damaged:
                return None
            return found
    return None


class _Damaged(Exception):
    """The file does not keep to its format; its own reader says where."""


def _safetensors(source: Source) -> Iterator[Tensor]:
    from watchword.inspect.formats.safetensors import SafetensorsBroken, read_safetensors

    try:
        facts = read_safetensors(source)
    except SafetensorsBroken as error:
        raise _Damaged from error
    for name, info in sorted(facts.header.items(), key=lambda item: item[1]["data_offsets"][0]):
        start, end = info["data_offsets"]
        at = facts.base + start
        yield Tensor(name, info["dtype"], tuple(info["shape"]), Part(source, at, end - start), at)


# -- numpy ----------------------------------------------------------------------------------------

_NUMPY = {"b1": "BOOL", "f2": "F16", "f4": "F32", "f8": "F64", "c8": "C64", "c16": "C128"} | {
    f"{kind}{size}": f"{kind.upper()}{size * 8}" for kind in "iu" for size in (1, 2, 4, 8)
}


def _npy(source: Source, name: str = "", base: int | None = 0) -> Iterator[Tensor]:
    from watchword.inspect.formats.numpys import NumpyBroken, read_numpy

    try:
        facts = read_numpy(source)
    except NumpyBroken as error:
        raise _Damaged from error
    dtype = _NUMPY.get(facts.descr.lstrip("<=|"), facts.descr)
    if facts.length is not None:
        at = None if base is None else base + facts.start
        yield Tensor(name, dtype, facts.shape, Part(source, facts.start, facts.length), at, is_array=True)


def _zip(source: Source) -> Iterator[Tensor]:
    from watchword.inspect.formats.zipped import open_member
    from watchword.inspect.formats.zips import STORED, ZipBroken, read_zip

    try:
        members = read_zip(source).members
    except ZipBroken as error:
        raise _Damaged from error
    pickles = [one for one in members if one.name.endswith("data.pkl") and one.method == STORED and one.start >= 0]
    budget = Budget()
    if pickles:
        yield from _torch(source, pickles[0], {one.name: one for one in members})
        return
    for member in members:
        if member.encrypted or member.start < 0 or not member.name.endswith(".npy"):
            continue
        try:
            opened = open_member(source, member, budget)
        except TooMuch:
            return
        if opened is not None and opened.source.read_at(0, 6) == b"\x93NUMPY":
            base = member.start if member.method == STORED else None
            yield from _npy(opened.source, member.name.removesuffix(".npy"), base)


# -- PyTorch --------------------------------------------------------------------------------------

_TORCH = {
    "Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32", "Short": "I16",
    "Char": "I8", "Byte": "U8", "Bool": "BOOL", "ComplexFloat": "C64", "ComplexDouble": "C128", "Untyped": "U8",
}  # fmt: skip


def _torch(source: Source, pickle: Any, members: dict[str, Any]) -> Iterator[Tensor]:
    from watchword.inspect.formats.zips import STORED

    prefix = pickle.name.removesuffix("data.pkl")
    for name, dtype, key, first, shape in _rebuilt(Part(source, pickle.start, pickle.packed)):
        member = members.get(f"{prefix}data/{key}")
        if member is None or member.method != STORED or member.start < 0:
            continue
        size = BYTES.get(dtype, 1)
        count = 1
        for n in shape:
            count *= n
        start = member.start + first * size
        length = min(count * size, max(0, member.start + member.packed - start))
        yield Tensor(name, dtype, shape, Part(source, start, length), start)


def _rebuilt(pickle: Source) -> list[tuple[str, str, str, int, tuple[int, ...]]]:
    """What ``_rebuild_tensor…`` is called with: name, type, storage, first element, shape. The name is made of the keys
    under which it is kept."""
    from watchword.inspect.pickles.machine import Machine
    from watchword.inspect.pickles.opcodes import run
    from watchword.inspect.pickles.reader import Reader
    from watchword.inspect.pickles.values import Call, Container, Global, Persistent, arguments

    found: list[tuple[str, str, str, int, tuple[int, ...]]] = []
    names: dict[str, int] = {}

    def on_event(event: Any) -> None:
        if type(event) is not Call or type(event.callee) is not Global or event.callee.module != "torch._utils":
            return
        given = arguments(event.args)
        if not event.callee.name.startswith("_rebuild_tensor") or len(given) < 4 or type(given[0]) is not Persistent:
            return
        pid = arguments(given[0].pid)
        sizes = given[2].items if type(given[2]) is Container else None
        if len(pid) < 5 or sizes is None or type(given[1]) is not int or not all(type(n) is int for n in sizes):
            return
        kind = pid[1].name.removesuffix("Storage") if type(pid[1]) is Global else ""
        name = _name(machine) or f"storage {pid[2]}"
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name = f"{name}#{names[name]}"
        if len(found) <= SAFETENSORS_TENSORS_MAX and given[1] >= 0 and min(sizes, default=0) >= 0:
            found.append((name, _TORCH.get(kind, kind), str(pid[2]), given[1], tuple(sizes)))

    machine = Machine(on_event)
    run(machine, Reader(pickle))
    return found


_PRIVATE = ("_parameters", "_buffers", "_modules")


def _name(machine: Any) -> str:
    """The keys under which the machine is about to put what it makes, outermost first.

    Keys of a dictionary being filled stand above a mark, in turn with their values, the dictionary below the mark; a
    single item has no mark. Below a dictionary may stand the object whose state it is. A module's own dictionaries
    (``_parameters`` …) are left out.
    """
    from watchword.inspect.pickles.values import Container, Global, Made

    stack, marks = machine.stack, machine.marks
    at = len(stack) - 1
    while at > 0 and type(stack[at]) is Global:
        at -= 1  # a callee that waits for this as its argument
    keys: list[str] = []
    while 0 <= at < len(stack) and type(stack[at]) in (str, int) and len(keys) < 32:
        keys.append(str(stack[at]))
        mark = next((mark for mark in reversed(marks) if mark <= at), 0)
        fresh = (
            at > 1
            and type(stack[at - 1]) is Container
            and not stack[at - 1].count
            and type(stack[at - 2]) in (str, int)
        )
        at = (mark if mark and (at - mark) % 2 == 0 and not fresh else at) - 2
        while at > 0 and type(stack[at]) is Made:
            at -= 1
    return ".".join(key for key in reversed(keys) if key not in _PRIVATE)[:400]


# -- ONNX -----------------------------------------------------------------------------------------

_ONNX_TABLE = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 11: "graph"},
    "tensor": {8: "text"},
}
_ONNX_TYPES = {
    1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 9: "BOOL", 10: "F16", 11: "F64", 12: "U32",
    13: "U64", 14: "C64", 15: "C128", 16: "BF16",
}  # fmt: skip
_ONNX_DATA = {4: "F32", 9: "", 10: "F64"}
"""Fields that hold elements as fixed bytes: ``float_data``, ``raw_data``, ``double_data``."""


def _onnx(source: Source) -> Iterator[Tensor]:
    from watchword.inspect.exhibit import Malformed
    from watchword.inspect.formats.protobuf import Message, fields, walk

    places: list[tuple[int, str]] = []

    def closed(message: Message, around: list[Message]) -> None:
        if message.kind == "tensor" and len(places) <= SAFETENSORS_TENSORS_MAX:
            places.append((message.start, message.text(8)))

    try:
        walk(source, _ONNX_TABLE, "model", closed)
        for start, name in places:
            _, _, content, length = fields(source, start, 1)[0]
            told = fields(Part(source, content, length), 0, 1000)
            shape = tuple(value for number, wire, _, value in told if number == 1 and wire == 0)
            kind = next((value for number, wire, _, value in told if number == 2 and wire == 0), 0)
            for number, wire, at, size in told:
                if number in _ONNX_DATA and wire == 2:
                    dtype = _ONNX_DATA[number] or _ONNX_TYPES.get(kind, f"type {kind}")
                    yield Tensor(name, dtype, shape, Part(source, content + at, size), content + at)
                    break
    except Malformed as error:
        raise _Damaged from error


# -- GGUF -----------------------------------------------------------------------------------------


def _gguf(source: Source) -> Iterator[Tensor]:
    from watchword.inspect.exhibit import Malformed
    from watchword.inspect.formats.gguf import read_gguf

    try:
        facts = read_gguf(source)
    except Malformed as error:
        raise _Damaged from error
    if facts.order != "<":
        raise _Damaged  # numbers of the other byte order are not read
    for name, dtype, shape, start, length in facts.listed:
        yield Tensor(name, dtype, shape, Part(source, start, length), start)
