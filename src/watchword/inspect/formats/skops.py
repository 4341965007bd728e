"""Archives of skops: a tree of nodes in ``schema.json``, each of which names a type and how to build it.

skops builds nothing that the user has not listed as trusted, beyond its own list. What a user is asked to trust is
told; a node that would reach code, files or commands, or that names one type to the audit and builds another
(CVE-2025-54412, CVE-2025-54413), is a finding. Other members are judged as files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from watchword.inspect.exhibit import Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.json_text import descend, parse_json
from watchword.inspect.formats.zipped import Archive
from watchword.inspect.formats.zips import Member
from watchword.inspect.pickles.standing import standing
from watchword.inspect.pickles.values import Global
from watchword.limits import SKOPS_SCHEMA_BYTES_MAX

_LOADERS_TEXT = """
    DictNode DefaultDictNode ListNode SetNode TupleNode BytesNode BytearrayNode SliceNode FunctionNode MethodNode
    PartialNode TypeNode ConstructorFromReduceNode ObjectNode JsonNode OperatorFuncNode CachedNode NdArrayNode
    MaskedArrayNode DTypeNode RandomStateNode RandomGeneratorNode QuantileForestNode SparseMatrixNode TreeNode SGDNode
    ReduceNode LossNode
"""
_LOADERS = frozenset(_LOADERS_TEXT.split())
_TRUSTED = ("builtins", "numpy", "scipy", "sklearn", "collections", "functools", "operator", "quantile_forest")


class Skops:
    """One such archive."""

    name = "skops"
    looked = "every node of its schema read, every member opened"

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def takes(self, member: Member) -> bool:
        if member.name.lower() != "schema.json":
            return False
        opened = self.archive.open(member)
        if opened is None:
            return True
        if opened.size > SKOPS_SCHEMA_BYTES_MAX:
            self.archive.odd("not-inspected", member, f"a schema of {opened.size:,} bytes is over the limit")
            return False
        try:
            document = parse_json(opened.read_at(0, opened.size))
        except Malformed as error:
            self.archive.odd("not-inspected", member, f"is no schema: {error}")
            return False
        told = set()
        asked = set()
        for node in _nodes(document):
            names = f"{node.get('__module__')}.{node.get('__class__')}"
            for odd in _judged(node):
                if odd.message not in told:
                    told.add(odd.message)
                    self.archive.odd(odd.rule, member, odd.message, odd.evidence)
            if str(node.get("__module__")).partition(".")[0] not in _TRUSTED:
                asked.add(names)
        if asked:
            self.archive.exhibit.note(f"asks its user to trust {', '.join(sorted(asked)[:10])}"[:400])
        facts: dict[str, Any] = {"imports": sorted(asked)[:200]}
        if isinstance(document, dict) and isinstance(document.get("_skops_version"), str):
            facts["frameworks"] = [f"skops {document['_skops_version'][:40]}"]
        self.archive.exhibit.merge(facts)
        return False

    def finish(self) -> None:
        """Nothing is left to say."""


def _judged(node: dict[str, Any]) -> Iterator[Oddity]:
    module, name, loader = node.get("__module__"), node.get("__class__"), node.get("__loader__")
    if not (isinstance(module, str) and isinstance(name, str)):
        yield Oddity("skops-node", None, "a node names no type", str(node)[:200])
        return
    path = f"{module}.{name}"
    how = standing(Global(module, name))
    if how.kind in ("denied", "walk", "executing"):
        yield Oddity("skops-node", None, f"{loader} would import {path}: {how.what}", path)
    if loader not in _LOADERS:
        yield Oddity("skops-node", None, f"{str(loader)[:80]} is no node of skops", path)
    if loader == "OperatorFuncNode" and module != "operator":
        yield Oddity("skops-node", None, f"names {path} as a function of operator", path)
    content = node.get("content")
    if loader == "MethodNode" and isinstance(content, dict) and isinstance(content.get("obj"), dict):
        inner = content["obj"]
        other = f"{inner.get('__module__')}.{inner.get('__class__')}"
        if other != path:
            yield Oddity("skops-node", None, f"is audited as a method of {path} and built as one of {other}", other)
        method = str(content.get("func"))
        if method.startswith("__"):
            yield Oddity("skops-node", None, f"takes {method[:80]} of {path}", path)


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    for value in descend(document, _inside):
        if isinstance(value, dict) and ("__class__" in value or "__loader__" in value):
            yield value


def _inside(value: Any) -> Iterable[Any] | None:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else None
