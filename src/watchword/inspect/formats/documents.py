"""JSON and YAML, read as their parsers would and judged as configuration; notebooks are JSON with programs in it.

* JSON keeps every value of a key that stands twice. Large files (vocabularies) are parsed only if a word of interest,
  or an escape that could spell one, stands in them. What Keras would build a model from is judged as that too.
* YAML is read as a stream of events: nothing is constructed, aliases are counted and not expanded, tags are judged.
* What does not parse is text; a note says so, and what came before the fault is judged.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from pathlib import PurePosixPath
from typing import Any

from watchword.inspect.exhibit import TEXT, Exhibit, Format, Malformed
from watchword.inspect.formats.configurations import Pairs, judge_configuration, judge_object
from watchword.inspect.formats.json_text import parse_json
from watchword.inspect.formats.plain import is_text
from watchword.inspect.source import Source
from watchword.limits import DOCUMENT_BYTES_MAX, DOCUMENT_EXPANDED_MAX, DOCUMENT_VALUES_MAX, DOCUMENT_WHOLE_BYTES_MAX

_OF_INTEREST = re.compile(
    rb'"(?:auto_map|class_name|custom_pipelines|trust_remote_code|_target_|class_path|loader_module|weight_map|_?attn_implementation|py/\w+|cells|'
    rb'\w*(?:template|prompt|command|license|base_model|_version|_name_or_path|index_url)\w*)"\s*:|\{\{|\{%|\\u00[2-7]'
)
_LINE = re.compile(rb"[^\r\n]+")
_IN_A_ROW = re.compile(rb'"(?:auto_map|_target_|class_path|trust_remote_code|py/\w+)"\s*:|__|\|\s*attr|\\u00[2-7]')
_TAG = "tag:yaml.org,2002:"
_PLAIN_PYTHON = frozenset("none bool str unicode bytes int long float complex list tuple dict".split())  # noqa: SIM905


def _read_json(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    from watchword.inspect.formats.secrets import search

    search(exhibit)
    if source.size > DOCUMENT_BYTES_MAX and _is_utf8(source.read_at(0, 4)) and not _of_interest(source):
        return what, "searched for words and secrets; no word of a configuration stands in it"
    if source.size > DOCUMENT_WHOLE_BYTES_MAX:
        exhibit.odd("document-limit", None, f"a document of {source.size:,} bytes is not parsed")
        exhibit.unread(0, source.size)
        return what, "searched for words and secrets"
    data = source.read_at(0, source.size)
    if not _is_utf8(data[:4]):
        data = _as_utf8(data)
    try:
        tree = parse_json(data, pairs=Pairs)
    except Malformed as error:
        if not error.limit or _are_lines(data):
            return _read_lines(exhibit, data, what, str(error))
        exhibit.odd("document-limit", None, str(error))
        exhibit.unread(0, source.size)
        return what, "searched for words and secrets"
    if isinstance(tree, Pairs) and tree.of("nbformat") is not None and tree.of("cells") is not None:
        from watchword.inspect.formats.notebooks import judge_notebook

        return "notebook", judge_notebook(exhibit, tree)
    judge_configuration(exhibit, tree)
    if isinstance(tree, Pairs) and isinstance(tree.of("class_name"), str) and any(key == "config" for key, _ in tree):
        from watchword.inspect.formats.keras_config import judge_text

        del tree  # the other reading takes as much memory again
        judge_text(exhibit, data)
        return "keras config", "every object that Keras would build from it"
    return what, "every value read as configuration"


def _of_interest(source: Source) -> bool:
    at = 0
    while at < source.size:
        if _OF_INTEREST.search(source.read_at(at, (1 << 20) + 256)):
            return True
        at += 1 << 20
    return False


def _are_lines(data: bytes) -> bool:
    """True where the first of several lines is a document of its own."""
    first = _LINE.search(data)
    if first is None or first.end() == len(data) or _LINE.search(data, first.end()) is None:
        return False
    try:
        return isinstance(parse_json(first[0]), dict | list)
    except Malformed:
        return False


def _read_lines(exhibit: Exhibit, data: bytes, what: str, why: str) -> tuple[str, str]:
    """JSON lines, each a document; or what only begins like JSON."""
    read = 0
    for number, found in enumerate(_LINE.finditer(data)):
        line = found[0]
        # Rows of data: parsed where a word stands that a loader, or a renderer, acts upon.
        if (read or number > 1000) and not _IN_A_ROW.search(line):
            continue
        try:
            tree = parse_json(line, pairs=Pairs)
        except Malformed as error:
            if error.limit:
                exhibit.odd("document-limit", found.start(), str(error))
            continue
        read += 1
        judge_configuration(exhibit, tree)
    if not read:
        from watchword.inspect.formats.templates import is_template, judge_template

        text = data.decode("utf-8", "replace")
        exhibit.note(why[:80])
        if is_template(text):
            judge_template(exhibit, text, "", 0)
    return "text" if not read or not exhibit.name.endswith(".json") else what, f"{read:,} lines of JSON read"


def _read_yaml(exhibit: Exhibit, what: str) -> tuple[str, str]:
    from watchword.inspect.formats.secrets import search

    search(exhibit)
    if exhibit.source.size > DOCUMENT_BYTES_MAX:
        exhibit.odd("document-limit", DOCUMENT_BYTES_MAX, f"only the first {DOCUMENT_BYTES_MAX:,} bytes are parsed")
        exhibit.unread(DOCUMENT_BYTES_MAX, exhibit.source.size)
    text = exhibit.source.read_at(0, DOCUMENT_BYTES_MAX).decode("utf-8", "replace")
    judge_yaml(exhibit, text)
    return what, "every event read: tags, aliases, values as configuration"


def judge_yaml(exhibit: Exhibit, text: str, *, quiet: bool = False) -> None:
    """Judge the documents of a YAML stream; *quiet* leaves out the note on what does not parse."""
    import yaml

    building = _Building(exhibit)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            building.take(event)
            if building.values > DOCUMENT_VALUES_MAX:
                exhibit.odd(
                    "document-limit", None, f"more than {DOCUMENT_VALUES_MAX:,} values: the rest was not looked at"
                )
                break
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not quiet:
            exhibit.note(f"not YAML to its end ({' '.join(str(error).split())[:100]})")
        building.documents.extend(frame[0] for frame in building.stack[:1])
    for document in building.documents[:1000]:
        judge_configuration(exhibit, document)


class _Building:
    """Documents from events. A mapping is :class:`Pairs`; an alias stands for nothing but its count."""

    def __init__(self, exhibit: Exhibit) -> None:
        self.exhibit = exhibit
        self.documents: list[Any] = []
        self.stack: list[list[Any]] = []  # value, key that waits, anchor, expanded size
        self.sizes: dict[str, int] = {}
        self.values = 0
        self.told = False

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        tag = getattr(event, "tag", None)
        if tag:
            self._tag(tag, event)
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.stack.append([Pairs() if kind[0] == "M" else [], None, event.anchor, 1])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            value, _, anchor, size = self.stack.pop()
            self._add(value, anchor, size)
        elif kind == "ScalarEvent":
            self._add(_scalar(event), event.anchor, 1)
        elif kind == "AliasEvent":
            self._add(None, None, self.sizes.get(event.anchor, 1))

    def _add(self, value: Any, anchor: str | None, size: int) -> None:
        self.values += 1
        if anchor and len(self.sizes) < DOCUMENT_VALUES_MAX:
            self.sizes[anchor] = size
        if size > DOCUMENT_EXPANDED_MAX and not self.told:
            self.told = True
            words = f"aliases that expand to more than {DOCUMENT_EXPANDED_MAX:,} values"
            self.exhibit.odd("document-bomb", None, words)
        if not self.stack:
            self.documents.append(value)
            return
        frame = self.stack[-1]
        frame[3] = min(frame[3] + size, 1 << 62)
        if not isinstance(frame[0], Pairs):
            frame[0].append(value)
        elif frame[1] is None:
            frame[1] = (value if isinstance(value, str) else str(value)[:200],)
        else:
            frame[0].append((frame[1][0], value))
            frame[1] = None

    def _tag(self, tag: str, event: Any) -> None:
        offset = event.start_mark.index if event.start_mark is not None else None
        short = tag.removeprefix(_TAG)
        if short.startswith("python/"):
            how, _, name = short.removeprefix("python/").partition(":")
            if name and how not in _PLAIN_PYTHON:
                calls = how in ("object/apply", "name", "object/new") or how == "module"
                judge_object(self.exhibit, name + ".x" * (how == "module"), f"!!{how}", calls=calls, offset=offset)
        elif tag.startswith(("!new:", "!apply:", "!name:", "!module:")):  # HyperPyYAML
            judge_object(self.exhibit, tag.partition(":")[2], tag.partition(":")[0], calls=False, offset=offset)
        elif short.startswith(("ruby/", "java", "js/")) or tag.startswith(("!ruby/", "!!ruby")):
            words = f"the tag {short[:100]} makes loaders of another language build objects"
            self.exhibit.odd("config-object-unknown", offset, words, tag)


def _scalar(event: Any) -> Any:
    if event.style is None and event.value.lower() in ("true", "yes", "on"):
        return True
    return event.value


def _is_utf8(head: bytes) -> bool:
    return json.detect_encoding(head).startswith("utf-8")


def _as_utf8(data: bytes) -> bytes:
    return data.decode(json.detect_encoding(data), "ignore").encode(errors="replace")


def _claims_json(source: Source, head: bytes, name: str) -> bool:
    if not _is_utf8(head):
        # Parsers take UTF-16 and UTF-32 by the zeros in the first four bytes, with or without a mark.
        head = _as_utf8(head)
    return (
        head.removeprefix(BOM_UTF8).lstrip(b" \t\r\n")[:1] in (b"{", b"[")
        and is_text(head)
        and not head.lstrip().startswith((b"{%", b"{{", b"{#"))
    )


def _claims_yaml(source: Source, head: bytes, name: str) -> bool:
    stem = PurePosixPath(name).name
    return is_text(head) and (stem.endswith((".yaml", ".yml")) or stem == "MLmodel" or head.startswith(b"%YAML"))


_WORDS = "txt md rst csv tsv yaml yml toml cfg ini jinja py jsonl vocab license"
FORMATS = (
    Format("json", TEXT, _claims_json, _read_json, _WORDS + " json ipynb webmanifest map"),
    Format("yaml", TEXT, _claims_yaml, _read_yaml, _WORDS),
)
