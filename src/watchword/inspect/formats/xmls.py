"""Models in XML: PMML and the networks of OpenVINO. Entities are never expanded, and nothing is fetched.

* An entity, or a document type that stands elsewhere, is told and ends the reading: no writer of these formats makes
  one, and a parser that follows it reads files of the machine, or grows without bound.
* PMML may call functions by name. Those of the standard, and those that the document defines, are known; a name with
  dots is a class that evaluators written in Java load.
* OpenVINO names the set that each operator is from; one from none of its own is a library that the user must load.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from watchword.inspect.exhibit import MAGIC, Exhibit, Format
from watchword.inspect.source import Source, chunks_of
from watchword.limits import XML_ELEMENTS_MAX, XML_NESTING_MAX

_FUNCTIONS_TEXT = """
    + - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round modulo isMissing
    isNotMissing isValid isNotValid equal notEqual lessThan lessOrEqual greaterThan greaterOrEqual isIn isNotIn and or
    not if uppercase lowercase stringLength substring trimBlanks concat replace matches formatNumber formatDatetime
    dateDaysSinceYear dateSecondsSinceYear dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF stdNormalPDF
    normalIDF stdNormalIDF erf expm1 hypot ln1p rint sin asin sinh cos acos cosh tan atan tanh
    x-atan2 x-expit x-exp2 x-log2 x-cbrt x-rint
"""
FUNCTIONS = frozenset(_FUNCTIONS_TEXT.split())
_CODE = re.compile(
    r"<script|javascript:|Runtime\.getRuntime|ProcessBuilder|\b(?:os\.system|subprocess|importlib|__import__)\s*[.(]"
    r"|\b(?:eval|exec|system|popen|import_module|powershell)\(\s*['\"]",
    re.IGNORECASE,
)
_OWN_SETS = re.compile(
    r"opset\d+$|experimental$|extension_util$|util$|type_relaxed_opset$|ie_internal_opset$|gpu_opset$"
)


@dataclass(slots=True)
class XmlFacts:
    """``root`` is the outermost element; offsets are those of the elements. ``sets``: operator and set → offset."""

    root: str = ""
    entity: tuple[int, str] | None = None
    functions: dict[str, int] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    code: list[tuple[int, str]] = field(default_factory=list)
    sets: dict[tuple[str, str], int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    elements: int = 0
    version: str = ""
    models: set[str] = field(default_factory=set)
    application: str = ""
    limit: int | None = None


class _Stop(Exception):
    """Reading ends here by our own decision."""


class _Reading:
    def __init__(self) -> None:
        self.facts = XmlFacts()
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.EntityDeclHandler = self.entity
        self.parser.CharacterDataHandler = self.text
        self.parser.buffer_text = True

    def place(self) -> int:
        return max(0, self.parser.CurrentByteIndex)

    def doctype(self, name: str, system: str | None, public: str | None, inner: bool) -> None:
        if system:
            self.facts.entity = (self.place(), f"a document type {name[:40]!r} at {system[:200]!r}")
            raise _Stop

    def entity(
        self, name: str, is_param: bool, value: str | None, base: str | None, system: str | None, *_: object
    ) -> None:
        what = f"from {system[:200]!r}" if system else f"of {len(value or '')} characters"
        self.facts.entity = (self.place(), f"an entity {name[:40]!r} {what}")
        raise _Stop

    def start(self, name: str, attributes: dict[str, str]) -> None:
        facts = self.facts
        self.depth += 1
        facts.elements += 1
        if facts.elements > XML_ELEMENTS_MAX or self.depth > XML_NESTING_MAX:
            facts.limit = self.place()
            raise _Stop
        name = name.rpartition(":")[2]
        facts.root = facts.root or name
        if name == "Apply" and len(facts.functions) < 10_000:
            facts.functions.setdefault(attributes.get("function", "")[:300], self.place())
        elif name == "DefineFunction":
            facts.defined.add(attributes.get("name", "")[:300])
        elif name == "Application":
            facts.application = f"{attributes.get('name', '')} {attributes.get('version', '')}".strip()[:100]
        elif name == "layer" and facts.root == "net" and len(facts.sets) < 10_000:
            operator = (attributes.get("type", "")[:100], attributes.get("version", "")[:60])
            facts.sets.setdefault(operator, self.place())
        elif name.endswith("Model") and facts.root == "PMML":
            facts.models.add(name[:60])
        for value in attributes.values():
            self.look(value)
        if name in ("PMML", "net"):
            facts.version = attributes.get("version", "")[:20]
        for key in ("path", "library", "href", "location", "file"):
            if key in attributes and len(facts.places) < 1000:
                facts.places.setdefault(attributes[key][:500], self.place())

    def end(self, name: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        self.look(data)

    def look(self, value: str) -> None:
        if len(value) > 5 and len(self.facts.code) < 50:
            match = _CODE.search(value[:65_536])
            if match is not None:
                self.facts.code.append((self.place(), value[max(0, match.start() - 20) : match.start() + 80]))


def read_xml(source: Source) -> tuple[XmlFacts, tuple[int, str] | None]:
    """What *source* says, and where and why reading ended early (None: it is well-formed to its end)."""
    reading = _Reading()
    try:
        for chunk in chunks_of(source):
            reading.parser.Parse(chunk, False)
        reading.parser.Parse(b"", True)
    except _Stop:
        return reading.facts, None
    except (expat.ExpatError, UnicodeError, ValueError, LookupError) as error:
        return reading.facts, (reading.place(), str(error)[:200])
    return reading.facts, None


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    facts, damage = read_xml(exhibit.source)
    named = {"PMML": "pmml", "net": "openvino"}.get(facts.root, what)
    exhibit.check(facts)
    if facts.limit is not None:
        exhibit.odd("unpack-limit", facts.limit, "more elements, or deeper ones, than are followed")
    if damage is not None:
        exhibit.odd("xml-broken", *damage)
        exhibit.unread(damage[0], exhibit.source.size)
        return named, "up to where it is not well-formed"
    told: dict[str, object] = {"nodes": facts.elements}
    if facts.root == "PMML":
        told = {"frameworks": [f"pmml {facts.version}"], "architecture": ", ".join(sorted(facts.models))[:200]}
        told["producer"] = facts.application
    elif facts.root == "net":
        told = {"frameworks": [f"openvino ir {facts.version}"], "operators": sorted({op for op, _ in facts.sets})[:200]}
    exhibit.merge({key: value for key, value in told.items() if value})
    return named, "every element and attribute; no entity expanded"


def is_own_set(name: str) -> bool:
    """True for a set of operators that OpenVINO brings along."""
    return not name or _OWN_SETS.match(name) is not None


def _claims(source: Source, head: bytes, name: str) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if name.lower().endswith(".pmml"):
        return source.size > 0
    if not start.startswith(b"<"):
        return False
    return b"<PMML" in head or (re.search(rb"<net\s[^>]*version=", head) is not None and b"<layers" in head)


FORMATS = (Format("pmml", MAGIC, _claims, _read, "pmml"), Format("openvino", MAGIC, lambda *_: False, _read))
