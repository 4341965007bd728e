"""Confidentiality labels in the structure of STANAG 4774 (ADatP-4774), read from XML and written to it.

The standard itself is not freely to be had; read here is what public examples show. **No conformance is claimed.**

* Public examples disagree on names: the root is ``originatorConfidentialityLabel``, with a capital O, ``alternative…``
  or plain ``ConfidentialityLabel``; a value is a ``GenericValue`` or a ``CategoryValue``; dates are elements or
  attributes. All are read; written are the first ones.
* A label half understood is a wrong label: any other element, or one where it does not belong, refuses the whole.
* Hostile XML costs little: no document type, no entities of its own, LABEL_BYTES_MAX, nesting at most 8.
* Not kept: ``URI`` attributes, which name the same policy and tags again as object identifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from watchword.errors import WatchwordError
from watchword.limits import LABEL_BYTES_MAX
from watchword.statements.times import rfc3339

NAMESPACE = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
ROOTS = frozenset(
    {
        "originatorConfidentialityLabel", "OriginatorConfidentialityLabel", "alternativeConfidentialityLabel",
        "AlternativeConfidentialityLabel", "ConfidentialityLabel",
    }
)  # fmt: skip
VALUES = frozenset({"GenericValue", "CategoryValue"})
DATES = {"CreationDateTime": "created", "ReviewDateTime": "review"}
INSIDE = "ConfidentialityInformation"
TEXTS = {"PolicyIdentifier": "policy", "Classification": "classification", "PrivacyMark": "privacy_mark"}
_DEPTH_MAX = 8


class BadLabel(WatchwordError):
    """A label that cannot be read whole. Says what is wrong with it."""


class _Reader:
    """What is read so far. ``path``: the local names of the open elements."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.text = ""
        self.fields: dict[str, Any] = {}
        self.categories: list[dict[str, Any]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace != NAMESPACE:
            raise BadLabel(f"label: element {local[:80]!r} is not of namespace {NAMESPACE}")
        if self.text.strip():
            raise BadLabel(f"label: text before element {local[:80]!r}")
        self.path.append(local)
        self.text = ""
        if len(self.path) > _DEPTH_MAX or not self._belongs(local):
            raise BadLabel(f"label: element {'/'.join(self.path)[:200]} is not known", "only a whole label is taken")
        if len(self.path) == 1:
            for attribute, field in DATES.items():
                if attribute in attributes:
                    self._set(field, _time(attributes[attribute]))
        if local == "Category":
            kind = attributes.get("Type", "").lower()
            if kind not in ("permissive", "restrictive", "informative") or not attributes.get("TagName"):
                raise BadLabel("label: a category has a TagName and a Type: PERMISSIVE, RESTRICTIVE or INFORMATIVE")
            self.categories.append({"name": attributes["TagName"], "type": kind, "values": []})

    def end(self, _: str) -> None:
        local, text = self.path.pop(), " ".join(self.text.split())
        self.text = ""
        if local in DATES:
            self._set(DATES[local], _time(text))
        elif local in TEXTS:
            self._set(TEXTS[local], text)
        elif local in VALUES:
            self.categories[-1]["values"].append(text)
        elif text:
            raise BadLabel(f"label: text in element {local!r}")

    def characters(self, text: str) -> None:
        self.text += text

    def _belongs(self, local: str) -> bool:
        depth, above = len(self.path), self.path[-2] if len(self.path) > 1 else ""
        if depth == 1:
            return local in ROOTS
        if depth == 2:
            return local == INSIDE or local in DATES
        if depth == 3:
            return above == INSIDE and (local in TEXTS or local == "Category")
        return depth == 4 and above == "Category" and local in VALUES

    def _set(self, field: str, value: str) -> None:
        if field in self.fields:
            raise BadLabel(f"label: {field} stands twice")
        self.fields[field] = value


def parse_label(data: bytes) -> dict[str, Any]:
    """Read a label; the fields of a ``marking`` but for the statement that it marks.

    Raises:
        BadLabel: not XML, too large, with a document type, or with anything that is not understood.
    """
    if len(data) > LABEL_BYTES_MAX:
        raise BadLabel(f"label: larger than {LABEL_BYTES_MAX:,} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadLabel(f"label: not well-formed XML: {error}") from error
    fields = reader.fields
    if not fields.get("policy") or not fields.get("classification"):
        raise BadLabel("label: no policy, or no classification")
    if any(not one["values"] or "" in one["values"] for one in reader.categories):
        raise BadLabel("label: a category without a value, or an empty value")
    return {"created": None, "privacy_mark": None, "review": None} | fields | {"categories": reader.categories}


def label_xml(fields: Mapping[str, Any]) -> bytes:
    """The label of a ``marking`` as XML. What ``parse_label`` reads from it is the same again."""
    lines = [f'<slab:originatorConfidentialityLabel xmlns:slab="{NAMESPACE}">', f" <slab:{INSIDE}>"]
    lines += [
        f"  <slab:{name}>{escape(fields[field])}</slab:{name}>" for name, field in TEXTS.items() if fields[field]
    ]
    for one in fields["categories"]:
        lines.append(f'  <slab:Category TagName={quoteattr(one["name"])} Type="{one["type"].upper()}">')
        lines += [f"   <slab:GenericValue>{escape(value)}</slab:GenericValue>" for value in one["values"]]
        lines.append("  </slab:Category>")
    lines.append(f" </slab:{INSIDE}>")
    lines += [f" <slab:{name}>{fields[field]}</slab:{name}>" for name, field in DATES.items() if fields[field]]
    return "\n".join([*lines, "</slab:originatorConfidentialityLabel>", ""]).encode()


def _no_doctype(*_: object) -> None:
    raise BadLabel("label: has a document type", "a label needs none; entities are not expanded")


def _time(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadLabel(f"label: {text[:40]!r} is not a time") from error
    if moment.tzinfo is None:
        raise BadLabel(f"label: {text[:40]!r} does not say in which zone", "such as 2026-01-31T12:00:00Z")
    try:
        return rfc3339(moment.astimezone(UTC).replace(microsecond=0))
    except OverflowError as error:
        raise BadLabel(f"label: {text[:40]!r} is not a time") from error
