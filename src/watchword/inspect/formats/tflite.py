"""TensorFlow Lite and ONNX Runtime models (FlatBuffers): operators, shapes, and whether every reference stays inside.

Slots as in ``schema.fbs`` of TensorFlow Lite (version 3) and ``ort.fbs`` of ONNX Runtime. Interpreters follow offsets,
tensor and buffer numbers without asking again, in native code: one that leads out of the model is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchword.inspect.exhibit import MAGIC, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.flatbuffers import Buffer, Table
from watchword.inspect.formats.onnx import OnnxFacts
from watchword.inspect.source import Source

_CUSTOM = 32
_ITEM_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 8: 8, 9: 1, 10: 8, 11: 16, 12: 8, 15: 4, 16: 2}
"""Bytes of an element by TensorType; those of variable or packed size are left out."""


@dataclass(slots=True)
class LiteFacts:
    """``custom``: operators that are not built in → offset of their code. ``wrong``: references that lead out."""

    version: int = 0
    custom: dict[str, int] = field(default_factory=dict)
    builtin: set[int] = field(default_factory=set)
    wrong: list[Oddity] = field(default_factory=list)
    tensors: int = 0
    operators: int = 0
    description: str = ""
    metadata: list[str] = field(default_factory=list)


def read_tflite(source: Source) -> LiteFacts:
    """Walk the model in *source*.

    Raises:
        Malformed: an offset leads out, or there is more than is followed.
    """
    facts = LiteFacts()
    model = Buffer(source).root()
    facts.version = model.number(0, "I")
    facts.description = model.text(3, 200)
    codes = 0
    for code in model.children(1):
        codes += 1
        builtin = max(code.number(0, "b"), code.number(3, "i"))
        name = code.text(1, 200)
        if builtin == _CUSTOM:
            facts.custom.setdefault(name, code.at)
        else:
            facts.builtin.add(builtin)
    buffers = [_buffer(source, entry, facts) for entry in model.children(4)]
    for graph in model.children(2):
        count = sum(1 for tensor in graph.children(0) if _tensor(tensor, buffers, facts))
        facts.tensors += count
        _references(graph, count, codes, facts)
    facts.metadata = [entry.text(0, 100) for entry in model.children(6)][:50]
    return facts


def _say(facts: LiteFacts, offset: int, words: str) -> None:
    if len(facts.wrong) < 50:
        facts.wrong.append(Oddity("tflite-broken", offset, words))


def _buffer(source: Source, entry: Table, facts: LiteFacts) -> int:
    """Length in bytes; -1 when it is empty (its tensors are computed)."""
    _, count = entry.vector(0, 1)
    offset, size = entry.number(1, "Q"), entry.number(2, "Q")
    if offset > 1:  # data behind the FlatBuffer, for models over 2 GB
        if offset + size > source.size:
            _say(facts, entry.at, f"a buffer of {size:,} bytes at {offset:,} leads out of the file")
        return size
    return count or -1


def _tensor(tensor: Table, buffers: list[int], facts: LiteFacts) -> bool:
    shape, sort, number = tensor.numbers(0, "i"), tensor.number(1, "b"), tensor.number(2, "I")
    if number >= len(buffers) and number:
        _say(facts, tensor.at, f"a tensor uses buffer {number}, and there are {len(buffers)}")
        return True
    elements = 1
    for length in shape:
        if length < -1:
            _say(facts, tensor.at, f"a tensor has {length} elements along one axis")
        elements *= max(length, 0)
    if elements >= 2**31:
        _say(facts, tensor.at, f"a tensor of {elements:,} elements: interpreters count in 32 bits")
    size = buffers[number] if number < len(buffers) else -1
    item = _ITEM_BYTES.get(sort)
    sparse = tensor.place(6)
    if size >= 0 and item and not sparse and -1 not in shape and elements * item != size:
        _say(facts, tensor.at, f"a tensor of {elements * item:,} bytes has a buffer of {size:,}")
    return True


def _references(graph: Table, tensors: int, codes: int, facts: LiteFacts) -> None:
    for operator in graph.children(3):
        facts.operators += 1
        if operator.number(0, "I") >= codes:
            _say(facts, operator.at, f"an operator uses code {operator.number(0, 'I')}, and there are {codes}")
        for slot in (1, 2):
            if any(not -1 <= index < tensors for index in operator.numbers(slot, "i")):
                _say(facts, operator.at, f"an operator uses a tensor that does not exist; there are {tensors}")


def read_ort(source: Source) -> OnnxFacts:
    """Walk the model of ONNX Runtime in *source*, as the facts of an ONNX model.

    Raises:
        Malformed: an offset leads out, or there is more than is followed.
    """
    facts = OnnxFacts()
    session = Buffer(source).root()
    model = session.child(1)
    if model is None:
        raise Malformed(session.at, "there is no model in it")
    facts.ir_version = model.number(0, "q")
    facts.producer = f"{model.text(2, 100)} {model.text(3, 100)}".strip()
    for opset in model.children(1):
        facts.opsets[opset.text(0, 200)] = opset.number(1, "q")
    graph = model.child(7)
    waiting = [(graph, 0)] if graph is not None else []
    while waiting:
        table, depth = waiting.pop()
        if depth > 64:
            raise Malformed(table.at, "graphs nest deeper than is followed", limit=True)
        facts.tensors += table.vector(0, 4)[1]
        for node in table.children(2):
            facts.nodes += 1
            facts.ops.setdefault((node.text(2, 200), node.text(5, 200)), node.at)
            for attribute in node.children(10):
                inner = attribute.child(6)
                waiting += [(inner, depth + 1)] if inner is not None else []
                waiting += [(other, depth + 1) for other in attribute.children(11)]
    return facts


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    facts: LiteFacts | OnnxFacts
    try:
        facts = read_tflite(exhibit.source) if what == "tflite" else read_ort(exhibit.source)
    except Malformed as error:
        exhibit.malformed("tflite-broken", error, 0)
        return what, "up to where it is malformed"
    exhibit.check(facts)
    if isinstance(facts, LiteFacts):
        exhibit.keep(*facts.wrong)
        told = {
            "tensors": facts.tensors,
            "nodes": facts.operators,
            "operators": sorted(facts.custom)[:200],
            "producer": facts.description,
        }
    else:
        told = {
            "opsets": {domain or "ai.onnx": version for domain, version in facts.opsets.items()},
            "nodes": facts.nodes,
            "tensors": facts.tensors,
            "operators": sorted({f"{domain}::{op}" if domain else op for domain, op in facts.ops})[:200],
            "producer": facts.producer,
        }
    exhibit.merge({key: value for key, value in told.items() if value})
    return what, "every operator, tensor and buffer header; tensor data passed over"


FORMATS = (
    Format("tflite", MAGIC, lambda source, head, name: head[4:8] == b"TFL3", _read, "tflite"),
    Format("ort", MAGIC, lambda source, head, name: head[4:8] == b"ORTM", _read, "ort onnx"),
)
