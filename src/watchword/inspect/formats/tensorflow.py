"""TensorFlow graphs: SavedModel, MetaGraph, GraphDef, Keras metadata, checkpoints. Operators are told by what they do.

Field numbers as in ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``function.proto`` (TensorFlow 2.21).
Tensors are passed over, their texts are kept: a path that is constant in a graph is where its file operators go.

* Operators are judged in the function or graph that they stand in. What a saver needs (``SaveV2``, ``RestoreV2``, …) is
  told only where a constant path beside it leads out; reading a vocabulary from the assets is how tables are built.
* An operator that is neither TensorFlow's own (``tensorflow_ops``) nor a function of the graph is native code from
  elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from watchword.inspect.exhibit import MAGIC, WEAK, Exhibit, Format, Malformed
from watchword.inspect.formats.json_text import parse_json
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.formats.protobuf import Message, fields, walk
from watchword.inspect.source import Source
from watchword.limits import CONFIG_BYTES_MAX

_TABLE: dict[str, dict[int, str]] = {
    "saved": {1: "int", 2: "meta"},
    "meta": {1: "info", 2: "graph", 5: "signature", 6: "asset", 7: "objects"},
    "info": {2: "oplist", 5: "text"},
    "oplist": {1: "opdef"},
    "opdef": {1: "text"},
    "signature": {1: "text"},
    "asset": {2: "text"},
    "objects": {1: "object"},
    "object": {4: "user"},
    "user": {1: "text", 3: "text"},
    "graph": {1: "node", 2: "library"},
    "library": {1: "function"},
    "function": {1: "opdef", 3: "node"},
    "node": {1: "text", 2: "text", 5: "attribute"},
    "attribute": {2: "value"},
    "value": {1: "list", 2: "text", 8: "tensor"},
    "list": {2: "texts"},
    "tensor": {8: "texts"},
    "keras": {1: "layer", 2: "text"},
    "layer": {3: "text", 4: "text", 5: "text"},
}
_WIRES = {
    "saved": {1: 0, 2: 2},
    "meta": {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2},
    "graph": {1: 2, 2: 2, 3: 0, 4: 2, 5: 2},
    "keras": {1: 2},
}
TABLE_MARK = bytes.fromhex("57fb808b247547db")
"""The last bytes of a table (LevelDB's format), as which TensorFlow writes the index of a checkpoint."""

_TEXT_GRAPH = re.compile(rb"\s*(?:node|meta_graphs|library|versions)\s*\{")


@dataclass(slots=True)
class Scope:
    """A graph, or one function of it: its operators with the offset of their first node, and its constant texts."""

    name: str
    ops: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GraphFacts:
    """``functions`` are names that nodes may use as operators."""

    scopes: list[Scope] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    assets: dict[str, int] = field(default_factory=dict)
    keras: list[tuple[int, str]] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    nodes: int = 0
    signatures: list[str] = field(default_factory=list)

    def ops(self) -> set[str]:
        return {op for scope in self.scopes for op in scope.ops}


def read_graph(source: Source, root: str) -> GraphFacts:
    """Walk *source* as the message *root*: saved, meta, graph or keras.

    Raises:
        Malformed: it breaks off, or passes a bound.
    """
    facts = GraphFacts()
    open_scopes: dict[int, Scope] = {}

    def scope_of(around: list[Message]) -> Scope:
        holder = next((m for m in reversed(around) if m.kind in ("function", "graph")), around[0])
        return open_scopes.setdefault(holder.start, Scope(""))

    def closed(message: Message, around: list[Message]) -> None:
        kind = message.kind
        if kind == "node":
            facts.nodes += 1
            scope_of(around).ops.setdefault(message.text(2)[:200], message.start)
        elif kind in ("tensor", "list", "value"):
            scope = scope_of(around)
            for text in message.lists.get(8 if kind == "tensor" else 2, ()) or [message.text(2)]:
                if text and len(scope.texts) < 100_000:
                    scope.texts.setdefault(text[:4096], message.start)
        elif kind == "opdef" and around and around[-1].kind == "function":
            facts.functions.add(message.text(1)[:200])
            scope_of(around).name = message.text(1)[:200]
        elif kind in ("function", "graph"):
            facts.scopes.append(open_scopes.pop(message.start, Scope("")))
        elif kind == "info" and message.text(5):
            facts.versions.add(message.text(5)[:40])
        elif kind == "signature":
            facts.signatures.append(message.text(1)[:100])
        elif kind == "asset":
            facts.assets.setdefault(message.text(2)[:1000], message.start)
        elif kind in ("user", "layer", "keras"):
            text = message.text({"user": 3, "layer": 5, "keras": 2}[kind])
            if text.lstrip()[:1] == "{":
                facts.keras.append((message.start, text))

    walk(source, _TABLE, root, closed)
    return facts


def root_of(source: Source, name: str) -> str:
    """Which message *source* is by its outer fields; empty when none. The name decides between equals."""
    lowered = name.rpartition("/")[2].lower()
    if source.size < 2 or source.read_at(0, 1) not in (b"\x08", b"\x0a", b"\x12", b"\x1a", b"\x22"):
        return ""
    try:
        outer = fields(source)
    except Malformed:
        return {"saved_model.pb": "saved", "keras_metadata.pb": "keras"}.get(lowered, "")
    if lowered == "keras_metadata.pb":
        return "keras"
    told = [kind for kind, wires in _WIRES.items() if all(wires.get(number) == wire for number, wire, _, _ in outer)]
    for kind in told:
        if kind == "saved" and (lowered == "saved_model.pb" or _holds(source, outer, 2, "meta")):
            return kind
        if kind == "graph" and _holds(source, outer, 1, "node"):
            return kind
        if kind == "meta" and _holds(source, outer, 2, "graph"):
            return kind
    return ""


def _holds(source: Source, outer: list[tuple[int, int, int, int]], number: int, kind: str) -> bool:
    """True when the first field *number* looks like a message *kind* inside."""
    for found, wire, start, length in outer:
        if found != number or wire != 2:
            continue
        try:
            inner = fields(_Window(source, start, length), count=8)
        except Malformed:
            return False
        if kind == "node":
            told = {n: source.read_at(start + at, min(size, 200)) for n, w, at, size in inner if w == 2 and n in (1, 2)}
            named = all(re.fullmatch(rb"[A-Za-z0-9_.>/\\-]+", told.get(n, b"")) for n in (1, 2))
            return named and all(wire == 2 and 1 <= n <= 7 for n, wire, _, _ in inner)
        wires = _WIRES[kind]
        return bool(inner) and all(wires.get(n) == w for n, w, _, _ in inner)
    return False


class _Window:
    """A part of a source, without its end being clipped to the whole."""

    def __init__(self, whole: Source, start: int, size: int) -> None:
        self.whole = whole
        self.start = start
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        return self.whole.read_at(self.start + offset, length) if length > 0 else b""


_ROOTS = {
    "saved": "tensorflow savedmodel", "meta": "tensorflow metagraph", "graph": "tensorflow graph",
    "keras": "keras metadata",
}  # fmt: skip


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    root = root_of(exhibit.source, exhibit.name)
    try:
        facts = read_graph(exhibit.source, root)
    except Malformed as error:
        exhibit.malformed("tf-broken", error, error.offset)
        return _ROOTS[root], "up to where it is malformed"
    exhibit.check(facts)
    _keras(exhibit, facts)
    told = {
        "frameworks": sorted(f"tensorflow {version}" for version in facts.versions),
        "operators": sorted(facts.ops())[:200],
        "nodes": facts.nodes,
        "signatures": sorted(set(facts.signatures))[:50],
    }
    exhibit.merge({key: value for key, value in told.items() if value})
    return _ROOTS[root], "every node and function by its operator; tensor data passed over"


def _keras(exhibit: Exhibit, facts: GraphFacts) -> None:
    """Layers that Keras would build again from what stands beside the graph."""
    from watchword.inspect.formats.keras_config import judge_config

    spent = 0
    for offset, text in facts.keras:
        spent += len(text)
        if spent > CONFIG_BYTES_MAX:
            exhibit.odd("unpack-limit", offset, "more configuration than is read")
            return
        try:
            value = parse_json(text.encode(errors="surrogatepass"))
        except Malformed as error:
            if error.limit or '"class_name"' in text:
                rule = "unpack-limit" if error.limit else "keras-broken"
                exhibit.odd(rule, offset, f"a configuration that is {error}"[:200])
            continue
        judge_config(exhibit, value, offset)


def _claims(source: Source, head: bytes, name: str) -> bool:
    return bool(root_of(source, name))


def _table(source: Source, head: bytes, name: str) -> bool:
    return source.size >= 48 and source.read_at(source.size - 8, 8) == TABLE_MARK


def _data(source: Source, head: bytes, name: str) -> bool:
    return re.search(r"\.data-\d{5}-of-\d{5}$", name) is not None


def _fingerprint(source: Source, head: bytes, name: str) -> bool:
    """Hashes of a SavedModel (``fingerprint.proto``): five numbers, a version, an identifier."""
    if source.size > 512 or head[:1] != b"\x08":
        return False
    try:
        outer = fields(source)
    except Malformed:
        return False
    told = [(number, wire) for number, wire, _, _ in outer]
    return told[:4] == [(1, 0), (2, 0), (3, 0), (4, 0)] and set(told[4:]) <= {(5, 0), (6, 2), (7, 2)}


def _known(exhibit: Exhibit, what: str) -> tuple[str, str]:
    return what, "hashed; tensors and where they stand, which no loader runs"


def _text_graph(source: Source, head: bytes, name: str) -> bool:
    return name.endswith((".pbtxt", ".prototxt")) and _TEXT_GRAPH.match(head) is not None


def _read_text(exhibit: Exhibit, what: str) -> tuple[str, str]:
    """A graph as text: the same operators, told by their ``op:`` lines."""
    data = exhibit.source.read_at(0, CONFIG_BYTES_MAX)
    if exhibit.source.size > len(data):
        exhibit.odd("unpack-limit", len(data), "a graph as text that is longer than is read")
    scope = Scope("")
    for match in re.finditer(rb'\b(op|string_val|s)\s*:\s*"((?:[^"\\\n]|\\.){1,4096})"', data):
        text = match[2].decode("utf-8", "backslashreplace")
        (scope.ops if match[1] == b"op" else scope.texts).setdefault(text, match.start())
    names = {m.decode() for m in re.findall(rb'signature\s*\{\s*name\s*:\s*"([\w./-]{1,200})"', data)}
    facts = GraphFacts([scope], names, nodes=len(scope.ops))
    exhibit.check(facts)
    exhibit.merge({"operators": sorted(scope.ops)[:200]})
    return what, "every operator that it names"


def outward(scope: Scope, assets: set[str]) -> tuple[str, int] | None:
    """A constant text of *scope* that is a path or an address out of the model, and where it stands.

    *assets* are names of files of the model itself.
    """
    for text, offset in scope.texts.items():
        if 3 < len(text) < 1024 and text.isprintable() and leads_out(text) and text.rpartition("/")[2] not in assets:
            return text, offset
    return None


FORMATS = (
    Format("tensorflow graph", WEAK, _claims, _read, "pb"),
    Format("tensorflow fingerprint", WEAK, _fingerprint, _known, "pb"),
    Format("tensorflow graph text", MAGIC, _text_graph, _read_text, "pbtxt prototxt"),
    Format("tensorflow checkpoint index", WEAK, _table, _known),
    Format("tensorflow checkpoint data", WEAK, _data, _known),
)
