"""ONNX models: a walk over the protobuf wire format. Tensors are passed over by length, and nothing is imported.

Field numbers as in ``onnx.proto`` (IR version 12). Told: opsets, operators with their domains, functions, external data
locations, counts. Message nesting and numbers are bounded; names longer than the limit are cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from watchword.inspect.exhibit import WEAK, Exhibit, Format, Malformed
from watchword.inspect.formats.metadata_text import commands_in
from watchword.inspect.formats.onnx_branches import Node
from watchword.inspect.formats.protobuf import Message, fields, varint, walk
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Source
from watchword.limits import ONNX_MAIN_NODES_MAX

# Message → field → what it is: another message, or "text"/"int" to be read. Fields not listed are passed over.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {
        1: "int", 2: "text", 3: "text", 4: "text", 7: "graph", 8: "opset", 14: "entry", 20: "training", 25: "function",
    },
    "graph": {1: "node", 2: "text", 5: "tensor", 11: "input", 15: "sparse"},
    "input": {1: "text"},
    "node": {1: "texts", 2: "texts", 3: "text", 4: "text", 5: "attribute", 7: "text"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "tensor": {8: "text", 13: "external", 14: "int"},
    "sparse": {1: "tensor", 2: "tensor"},
    "opset": {1: "text", 2: "int"},
    "entry": {1: "text", 2: "text"},
    "external": {1: "text", 2: "text"},
    "training": {1: "graph", 2: "graph"},
    "function": {1: "text", 7: "node", 9: "opset", 10: "text", 11: "attribute"},
}  # fmt: skip
_MODEL_WIRES = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}


@dataclass(slots=True)
class OnnxFacts:
    """``ops``: (domain, operator) → offset of its first node. ``external``: location → offset of its first tensor."""

    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    ops: dict[tuple[str, str], int] = field(default_factory=dict)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: dict[str, int] = field(default_factory=dict)
    extents: dict[str, int] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    external_keys: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    nodes: int = 0
    tensors: int = 0
    graph: str = ""
    main: list[Node] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)
    initializers: set[str] = field(default_factory=set)


_TENSOR_WIRES = {
    1: (0, 2), 2: (0,), 3: (2,), 4: (2, 5), 5: (0, 2), 6: (2,), 7: (0, 2), 8: (2,), 9: (2,), 10: (1, 2), 11: (0, 2),
    12: (2,), 13: (2,), 14: (0,),
}  # fmt: skip


def looks_like_tensor(source: Source, name: str) -> bool:
    """True when *source*, named as a protobuf file, is one TensorProto: a type, and a shape or data."""
    if not name.endswith((".pb", ".onnx")) or source.size < 2:
        return False
    try:
        outer = fields(source, count=1 << 16)
    except Malformed:
        return False
    numbers = {number for number, _, _, _ in outer}
    known = all(wire in _TENSOR_WIRES.get(number, ()) for number, wire, _, _ in outer)
    return known and (2 in numbers or name.endswith(".onnx")) and bool(numbers & {1, 4, 5, 6, 7, 8, 9, 10, 11, 13})


def is_named_onnx(source: Source, name: str) -> bool:
    """True when *source* is called a model and its outer fields are such as a lenient reader takes for one."""
    if not name.endswith(".onnx") or source.size < 2:
        return False
    try:
        outer = fields(source)
        # Parts of a model are read by lenient readers as models without the rest.
        return all(_MODEL_WIRES.get(number) == wire for number, wire, _, _ in outer) or (7, 2) in {o[:2] for o in outer}
    except Malformed:
        return source.read_at(0, 1) in (b"\x08", b"\x3a")


def looks_like_onnx(source: Source) -> bool:
    """True when *source* is, field by field at the top level, a ModelProto with a graph, up to its end."""
    reader = Reader(source)
    seen = set()
    try:
        while reader.left() > 0:
            number, wire = divmod(varint(reader), 8)
            if _MODEL_WIRES.get(number) != wire:
                return False
            seen.add(number)
            if wire == 2:
                reader.skip(varint(reader))
            else:
                varint(reader)
            if reader.tell() > 4096 and 7 not in seen and 8 not in seen:
                return False
    except (Ended, Malformed):
        # Cut short inside the graph is still a model to a lenient reader.
        return {1, 7} <= seen or ({1, 8} <= seen and 7 in seen) or (1 in seen and _graph_is_cut(source))
    return 7 in seen and bool(seen & {1, 8})


def read_onnx(source: Source, root: str = "model") -> OnnxFacts:
    """Walk the model in *source*, or the one tensor that it is (*root*).

    Raises:
        Malformed: it breaks off, contradicts itself, or passes a bound.
    """
    facts = OnnxFacts()
    walk(source, _FIELDS, root, lambda message, around: _close(message, around, facts))
    return facts


def _extent(facts: OnnxFacts) -> None:
    """Note how far the tensor that has just been read reaches into the file that it names."""
    where = facts.entries.pop("location", "")
    numbers = [int(text) for key in ("offset", "length") if (text := facts.entries.get(key, "0")[:19]).isdecimal()]
    facts.entries.clear()
    if where and len(facts.extents) < 200:
        facts.extents[where] = max(facts.extents.get(where, 0), min(sum(numbers), 2**63 - 1))


def _close(frame: Message, parents: list[Message], facts: OnnxFacts) -> None:
    """Take over what *frame* has told, now that it is complete."""
    text = {number: value for number, value in frame.values.items() if isinstance(value, str)}
    if frame.kind == "node":
        facts.nodes += 1
        if len(parents) == 2 and len(facts.main) < ONNX_MAIN_NODES_MAX:
            names = [tuple(frame.lists.get(number, ())) for number in (1, 2)]
            facts.main.append(Node(text.get(4, "") if not text.get(7) else "", names[0], names[1], frame.start))
        if len(facts.ops) < 10_000:
            facts.ops.setdefault((text.get(7, ""), text.get(4, "")), frame.start)
    elif frame.kind == "tensor":
        facts.tensors += 1
        _extent(facts)
        if len(parents) == 2 and len(facts.initializers) < ONNX_MAIN_NODES_MAX:
            facts.initializers.add(text.get(8, ""))
    elif frame.kind == "input" and len(parents) == 2 and len(facts.inputs) < 10_000:
        facts.inputs.add(text.get(1, ""))
    elif frame.kind == "external" and len(facts.external) < 10_000:
        key = text.get(1, "")
        facts.entries[key] = text.get(2, "")
        if key in ("location", "basepath"):
            facts.external.setdefault(text.get(2, ""), frame.start)
        else:
            facts.external_keys.setdefault(f"{key[:60]}={text.get(2, '')[:100]}", frame.start)
    elif frame.kind == "function" and len(facts.functions) < 10_000:
        facts.functions.add((text.get(10, ""), text.get(1, "")))
    elif frame.kind == "opset" and parents and parents[-1].kind == "model" and len(facts.opsets) < 100:
        version = frame.values.get(2, 0)
        facts.opsets[text.get(1, "")] = version if isinstance(version, int) else 0
    elif frame.kind == "entry" and len(facts.metadata) < 64:
        facts.metadata[text.get(1, "")[:200]] = text.get(2, "")[:1000]
    elif frame.kind == "graph" and parents and parents[-1].kind == "model":
        facts.graph = text.get(2, "")[:200]
    elif frame.kind == "model":
        version = frame.values.get(1, 0)
        facts.ir_version = version if isinstance(version, int) else 0
        facts.producer = " ".join(text[number] for number in (2, 3) if number in text)[:200]


def _graph_is_cut(source: Source) -> bool:
    """True when the part before the end is a model whose graph field names more bytes than there are."""
    reader = Reader(source)
    try:
        while True:
            number, wire = divmod(varint(reader), 8)
            if _MODEL_WIRES.get(number) != wire:
                return False
            if wire != 2:
                varint(reader)
                continue
            length = varint(reader)
            if length > reader.left():
                return number == 7 and length < 2**40 and source.read_at(reader.tell(), 1) in (b"\x0a", b"\x12")
            reader.skip(length)
    except (Ended, Malformed):
        return False


_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")


def _fragments(source: Source, facts: OnnxFacts) -> None:
    """Locations that stand anywhere in what is called a model and is none: a lenient reader may find them."""
    data = source.read_at(0, 1 << 22)
    for match in _LOCATION.finditer(data):
        text = data[match.end() : match.end() + match[1][0]].decode("utf-8", "backslashreplace")
        facts.external.setdefault(text, match.start())


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_onnx(exhibit.source, "tensor" if what == "onnx tensor" else "model")
    except Malformed as error:
        exhibit.malformed("onnx-broken", error, error.offset)
        return what, "up to where it is malformed"
    if what == "onnx tensor" and exhibit.name.endswith(".onnx"):
        _fragments(exhibit.source, facts)
    exhibit.check(facts)
    told = {
        "opsets": {domain or "ai.onnx": version for domain, version in facts.opsets.items()},
        "ir_version": facts.ir_version,
        "producer": facts.producer,
        "nodes": facts.nodes,
        "tensors": facts.tensors,
        "operators": sorted({f"{domain}::{op}" if domain else op for domain, op in facts.ops})[:200],
        "external_bytes": facts.extents,
        "external_data": sorted(facts.external)[:200],
    }
    exhibit.merge({key: value for key, value in told.items() if value})
    exhibit.keep(*commands_in(facts.metadata, None))
    if facts.metadata:
        exhibit.merge({"metadata": facts.metadata})
    return what, "every node, function and tensor header; tensor data passed over"


def _claims(source: Source, head: bytes, name: str) -> bool:
    return looks_like_onnx(source) or is_named_onnx(source, name)


FORMATS = (
    Format("onnx", WEAK, _claims, _read, "onnx"),
    Format("onnx tensor", WEAK, lambda source, head, name: looks_like_tensor(source, name), _read, "pb onnx"),
)
