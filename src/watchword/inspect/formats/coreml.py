"""Core ML models: a protobuf whose layers, operators and linked files are told by name.

Field numbers as in ``Model.proto``, ``NeuralNetwork.proto``, ``CustomModel.proto``, ``LinkedModel.proto`` and
``MIL.proto`` of coremltools 9. A model package (``.mlpackage``) is a folder with such a model, its weights and a
manifest: each is judged as a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchword.inspect.exhibit import MAGIC, WEAK, Exhibit, Format, Malformed
from watchword.inspect.formats.protobuf import Message, fields, walk
from watchword.inspect.source import Source

_NETWORK = {1: "layer"}
_TABLE: dict[str, dict[int, str]] = {
    "model": {
        1: "int", 2: "description", 200: "pipeline_like", 201: "pipeline_like", 202: "pipeline", 303: "network",
        403: "network", 500: "network", 502: "program", 555: "custom_model", 556: "linked",
    },
    "description": {100: "metadata"},
    "metadata": {1: "text", 2: "text", 3: "text", 4: "text"},
    "pipeline_like": {1: "pipeline"},
    "pipeline": {1: "model"},
    "network": _NETWORK,
    "layer": {1: "text", 500: "custom_layer"},
    "custom_layer": {10: "text"},
    "custom_model": {10: "text"},
    "linked": {1: "linked_file"},
    "linked_file": {1: "name_value", 2: "name_value"},
    "name_value": {1: "text"},
    "program": {2: "function_entry"},
    "function_entry": {2: "function"},
    "function": {3: "block_entry"},
    "block_entry": {2: "block"},
    "block": {3: "operation"},
    "operation": {1: "text", 2: "argument_entry", 4: "block", 5: "value_entry"},
    "argument_entry": {2: "argument"},
    "argument": {1: "binding"},
    "binding": {2: "value"},
    "value_entry": {2: "value"},
    "value": {5: "blob"},
    "blob": {1: "text"},
}  # fmt: skip
_KINDS = frozenset({
    200, 201, 202, 300, 301, 302, 303, 304, 400, 401, 402, 403, 404, 500, 501, 502, 550, 551, 552, 553, 555, 556, 560,
    600, 601, 602, 603, 604, 605, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000,
})  # fmt: skip


@dataclass(slots=True)
class CoremlFacts:
    """``custom``: class names of code that is not in the file → offset; ``files``: other files that it names."""

    version: int = 0
    custom: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    layers: int = 0
    metadata: dict[str, str] = field(default_factory=dict)


def read_coreml(source: Source) -> CoremlFacts:
    """Walk the model in *source*.

    Raises:
        Malformed: it breaks off, contradicts itself, or passes a bound.
    """
    facts = CoremlFacts()

    def closed(message: Message, around: list[Message]) -> None:
        kind = message.kind
        if kind in ("custom_layer", "custom_model") and len(facts.custom) < 1000:
            facts.custom.setdefault(message.text(10)[:200], message.start)
        elif kind == "layer":
            facts.layers += 1
        elif kind == "operation":
            facts.layers += 1
            facts.operators.add(message.text(1)[:100])
        elif kind in ("blob", "name_value") and len(facts.files) < 1000:
            facts.files.setdefault(message.text(1)[:1000], message.start)
        elif kind == "model" and not around:
            facts.version = message.int(1)
        elif kind == "metadata" and not facts.metadata:
            names = {1: "description", 2: "version", 3: "author", 4: "license"}
            facts.metadata = {
                name: message.text(number)[:1000] for number, name in names.items() if message.text(number)
            }

    walk(source, _TABLE, "model", closed)
    return facts


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_coreml(exhibit.source)
    except Malformed as error:
        exhibit.malformed("coreml-broken", error, error.offset)
        return what, "up to where it is malformed"
    exhibit.check(facts)
    told = {
        "frameworks": [f"core ml {facts.version}"],
        "operators": sorted(facts.operators)[:200],
        "nodes": facts.layers,
        "metadata": facts.metadata,
        "licences": [facts.metadata["license"][:200]] if facts.metadata.get("license") else [],
    }
    exhibit.merge({key: value for key, value in told.items() if value})
    return what, "every layer and operator by name; weights passed over"


def _claims(source: Source, head: bytes, name: str) -> bool:
    if head[:1] != b"\x08" or source.size < 8:
        return False
    try:
        outer = fields(source)
    except Malformed:
        return name.lower().endswith(".mlmodel")
    told = {number: wire for number, wire, _, _ in outer}
    if told.get(1) != 0 or told.get(2) != 2 or not set(told) - {1, 2, 10} <= _KINDS:
        return False
    return bool(set(told) & _KINDS)


def _weights(source: Source, head: bytes, name: str) -> bool:
    """The blobs beside a program (``StorageFormat.hpp``): a count, version 2, entries that begin with a sentinel."""
    return head[4:8] == b"\2\0\0\0" and head[64:68] == b"\xef\xbe\xad\xde" and not any(head[8:64])


def _read_weights(exhibit: Exhibit, what: str) -> tuple[str, str]:
    exhibit.merge({"tensors": int.from_bytes(exhibit.source.read_at(0, 4), "little")})
    return what, "hashed; weights of a Core ML program, which no loader runs"


FORMATS = (
    Format("core ml", WEAK, _claims, _read, "mlmodel"),
    Format("core ml weights", MAGIC, _weights, _read_weights),
)
