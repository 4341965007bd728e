"""Where values come from: what a session has been told, has read, and what of it a person's words reach.

Follows docs/protocol.md, section 9 ("Provenance"). Values in memory; nothing is read or written.

* A value has one of four labels: said by the *person*; from a *trusted* source; from an *untrusted* one; *unknown*.
* From a trusted source alone is not enough, for an attacker may choose among what is trusted. A trusted value has a
  clean origin when nobody chose it (a tool that was asked for nothing gave one record), or when it stands in a record
  that the person named: by a key that the card lists, or because every argument that looked it up is clean.
* A name that somebody else could have written (an untrusted key, such as a title) names only while it names one record.
* Whether a text was *seen* in something untrusted proves nothing: encoding hides it. Only a clean origin counts.
* Labels fall by endorsement alone (``session``). More values than are remembered have no clean origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from watchword.gate.cards import Card, Output, Type
from watchword.gate.words import Said, moment, normal
from watchword.limits import JSON_DEPTH_MAX, SESSION_UNTRUSTED_CHARS_MAX, SESSION_VALUES_MAX
from watchword.statements.digests import DJ

Label = Literal["person", "trusted", "untrusted", "unknown"]

LEAST_SECRET_CHARS = 4
"""A shorter secret is not looked for inside other texts: it would be found everywhere."""


@dataclass(frozen=True)
class Origin:
    """Where one value comes from. ``clean``: it may be acted on. ``why``: for people.

    ``chosen``: the person said it, or named its record by a key that only a trusted source writes.
    """

    label: Label
    clean: bool
    why: str
    chosen: bool = False


@dataclass(frozen=True)
class _Clean:
    """Why a value has a clean origin, and whether the person chose it (``Origin``)."""

    why: str
    chosen: bool


@dataclass(frozen=True)
class _Source:
    """Of which tool a field is, whether its record is named and under which key, and what the call itself said."""

    tool: str
    named: bool
    under: str | None
    echoes: frozenset[str]
    chosen: bool = False


@dataclass
class Provenance:
    """What one session knows of values. ``tainted``: the source of the first untrusted text that was read, or None."""

    said: list[Said] = field(default_factory=list)
    tainted: str | None = None
    today: date | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    _clean: dict[tuple[Type, str], dict[str | None, _Clean]] = field(default_factory=dict)
    _trusted: dict[tuple[Type, str], str] = field(default_factory=dict)
    _untrusted: dict[str, str] = field(default_factory=dict)
    _named: dict[str, set[str]] = field(default_factory=dict)
    _spans: set[timedelta] = field(default_factory=set)
    _kept: int = 0
    _untrusted_chars: int = 0

    # -- asking -----------------------------------------------------------------------------------

    def origin(self, value: Any, type: Type, nouns: Iterable[str] = ()) -> Origin:
        """Where *value* comes from, as a whole value of *type*."""
        return self.clean_origin(value, type, nouns) or self.unclean_origin(value, type)

    def unclean_origin(self, value: Any, type: Type) -> Origin:
        """Where a value that has no clean origin comes from."""
        form = normal(value, type)
        if form is None:
            return Origin("unknown", False, f"not a value of type {type}")
        for kind in (type, *_KINDS):
            source = self._trusted.get((kind, form))
            if source is not None:
                return Origin("trusted", False, f"one of several in {source}, and no person's words choose it")
        folded = form.casefold()
        source = self._untrusted.get(folded) or next(
            (where for text, where in self._untrusted.items() if folded in text), None
        )
        if source is not None:
            return Origin("untrusted", False, f"read in {source}")
        return Origin("unknown", False, "from nowhere that this session saw")

    def clean_origin(self, value: Any, type: Type, nouns: Iterable[str] = ()) -> Origin | None:
        """The clean origin of *value*; None when it has none."""
        for said in self.said:
            if said.phrase(str(value)) if type == "text" else said.says(value, type, nouns, self.today):
                return Origin("person", True, "in the person's words", True)
        form = normal(value, type)
        if form is None:
            return None
        clean = self._clean_because(form, type)
        if clean is not None:
            return Origin("trusted", True, clean.why, clean.chosen)
        if type == "time" and self._clean_moment(str(value)):
            return Origin("trusted", True, "a day and a time that are both clean")
        if type == "text" and self._laid_out(str(value)):
            return Origin("trusted", True, "laid out by the person, filled from trusted sources")
        return None

    def says(self, value: Any, type: Type, nouns: Iterable[str] = ()) -> bool:
        """Whether a person said *value* in this session."""
        return any(said.says(value, type, nouns, self.today) for said in self.said)

    def secret_in(self, text: str) -> str | None:
        """The name of a secret that stands in *text*, whole; None when none is seen. Encoded, it is not seen."""
        squeezed = _squeezed(text) if self.secrets else ""
        return next((name for secret, name in self.secrets.items() if secret in squeezed), None)

    # -- learning ---------------------------------------------------------------------------------

    def know(self, value: Any, type: Type, why: str, name: str | None = None, *, chosen: bool = False) -> None:
        """Remember a clean origin of one value. *name*: the key it holds under, which can still turn out double."""
        form = normal(value, type)
        if form is None or not self._room():
            return
        parsed = moment(str(value)) if type == "time" else None
        for part in (form, *(_part(one) for one in parsed or () if one is not None)):
            self._clean.setdefault((type, part), {})[name] = _Clean(why, chosen)

    def take_in(self, card: Card, args: Mapping[str, Any], args_clean: bool, result: Any) -> None:
        """Label what a tool returned.

        Args:
            args_clean: every argument of the call has a clean origin.
        """
        # Nobody chose: one thing came back for no argument at all. Or what was looked up was named.
        whole = args_clean and bool(card.lookup and args)
        whole = whole or (not args and not isinstance(result, list))
        echoes = frozenset(_folded(one) for one in leaves(args) if isinstance(one, str))
        for one in result if isinstance(result, list) else [result]:
            if isinstance(one, dict | list):
                self._record(card, one, whole, echoes)
                continue
            self._field(card.outputs.get(""), "", one, _Source(card.tool, whole, None, echoes))
            parsed = moment(one) if whole and not args and isinstance(one, str) and self.tainted is None else None
            if parsed is not None and parsed[0] is not None:
                self.today = parsed[0]

    def taint(self, source: str) -> None:
        """Something untrusted was read. There is no way back."""
        if self.tainted is None:
            self.tainted = source

    def _record(self, card: Card, record: Any, whole: bool, echoes: frozenset[str]) -> None:
        names = list(self._names_of(card, record))
        under = None if whole or None in names or not names else names[0]
        source = _Source(card.tool, whole or bool(names), under, echoes, None in names)
        if source.named:
            self._lasts(card, record)
        rest = card.outputs.get("*")
        if rest is not None and rest.trust == "trusted" and isinstance(record, dict):
            # Records by their names: a source that is trusted for what they hold is trusted for what they are called.
            for name in record.keys() - card.outputs.keys():
                self._field(rest, "", name, source)
        for name, leaf in _fields(record):
            self._field(card.outputs.get(name, card.outputs.get("*")), name, leaf, source)

    def _field(self, output: Output | None, name: str, leaf: Any, source: _Source) -> None:
        if leaf is None or leaf == "":
            return
        if output is not None and output.secret and not isinstance(leaf, bool):
            squeezed = _squeezed(str(leaf))
            if len(squeezed) >= LEAST_SECRET_CHARS and self._room():
                self.secrets.setdefault(squeezed, name or source.tool)
        if output is None or output.trust == "untrusted" or normal(leaf, output.type) is None:
            self._untrusted_field(leaf, source)
            return
        # Of a text each line may be meant alone.
        parts = [leaf, *leaf.splitlines()] if output.type == "text" and isinstance(leaf, str) else [leaf]
        if source.named:
            why = f"from {source.tool}, which the person's words lead to"
            for part in parts:
                self.know(part, output.type, why, source.under, chosen=source.chosen)
        elif self._room():
            for part in parts:
                self._trusted.setdefault((output.type, str(normal(part, output.type))), source.tool)

    def _untrusted_field(self, leaf: Any, source: _Source) -> None:
        text = _folded(str(leaf))
        # What the call itself said comes back as it went; a number or a yes can tell nobody what to do.
        if isinstance(leaf, bool | int | float) or text in source.echoes:
            return
        self.taint(source.tool)
        if self._untrusted_chars + len(text) <= SESSION_UNTRUSTED_CHARS_MAX:
            self._untrusted_chars += len(text)
            self._untrusted.setdefault(text, source.tool)

    def _names_of(self, card: Card, record: Any) -> Iterator[str | None]:
        """Why a record is named by the person's words: each key of it that they have."""
        for name, leaf in _fields(record):
            output = card.outputs.get(name)
            if output is None or not output.key or not isinstance(leaf, str):
                continue
            kind: Type = "name" if output.type == "text" else output.type
            if not self.says(leaf, kind):
                continue
            if output.trust == "trusted":
                yield None
            else:
                key = f"{name}={_folded(leaf)}"
                self._named.setdefault(key, set()).add(_identity(card, record))
                yield key

    def _lasts(self, card: Card, record: Any) -> None:
        """How long what a named record is about lasts: from its first time to its second."""
        times = [
            datetime.combine(parsed[0], parsed[1])
            for name, leaf in _fields(record)
            if (output := card.outputs.get(name)) is not None and output.type == "time" and output.trust == "trusted"
            if (parsed := moment(str(leaf))) is not None and parsed[0] is not None and parsed[1] is not None
        ]
        if len(times) > 1 and timedelta(0) < times[1] - times[0] < timedelta(days=1) and self._room():
            self._spans.add(times[1] - times[0])

    def _clean_because(self, form: str, type: Type) -> _Clean | None:
        found: _Clean | None = None
        for kind in (type, *(_KINDS if type in _KINDS else ())):
            for name, clean in self._clean.get((kind, form), {}).items():
                if (name is None or len(self._named.get(name, ())) <= 1) and (found is None or clean.chosen):
                    found = clean
        return found

    def _laid_out(self, text: str) -> bool:
        for said in self.said:
            blanks = said.template(text)
            if blanks is not None and all(self._from_trusted(blank) for blank in blanks):
                return True
        return False

    def _from_trusted(self, text: str) -> bool:
        form = _folded(text)
        return any((kind, form) in self._trusted or (kind, form) in self._clean for kind in _KINDS)

    def _clean_moment(self, text: str) -> bool:
        """A day and a time of day may come from two clean places; a time, from another and how long a thing lasts."""
        parsed = moment(text)
        if parsed is None or parsed[0] is None or parsed[1] is None or not self._clean_part(parsed[0]):
            return False
        whole = datetime.combine(parsed[0], parsed[1])
        return any(self._clean_part((whole - span).time()) for span in (timedelta(0), *self._spans))

    def _clean_part(self, part: date | time) -> bool:
        return self.says(_part(part), "time") or self._clean_because(_part(part), "time") is not None

    def _room(self) -> bool:
        self._kept += 1
        return self._kept <= SESSION_VALUES_MAX


_KINDS: tuple[Type, ...] = ("text", "name", "id")
"""Types whose values are plain words: one that is known as one is known as the others."""


def _part(one: date | time) -> str:
    return one.isoformat() if isinstance(one, date) else f"{one:%H:%M}"


def leaves(value: Any) -> Iterator[Any]:
    """The scalars in a JSON value, in order; members' names are not among them."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += reversed(list(one.values()))
        elif isinstance(one, list):
            stack += reversed(one)
        else:
            yield one


def _fields(record: Any) -> Iterator[tuple[str, Any]]:
    """Each scalar of a record under the name of the nearest member that holds it."""
    stack: list[tuple[str, Any, int]] = [("", record, 0)]
    while stack:
        name, value, depth = stack.pop()
        if depth > JSON_DEPTH_MAX:
            yield "", "nested too deep to be believed"
        elif isinstance(value, dict):
            stack += [(str(key), inner, depth + 1) for key, inner in reversed(list(value.items()))]
        elif isinstance(value, list):
            stack += [(name, inner, depth + 1) for inner in reversed(value)]
        else:
            yield name, value


def _identity(card: Card, record: Any) -> str:
    """What makes two records one: an identifier that its source gives, else all of it."""
    for name, leaf in _fields(record):
        output = card.outputs.get(name)
        if output is not None and output.type == "id" and output.trust == "trusted":
            return f"{name}:{leaf}"
    return DJ(record)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _squeezed(text: str) -> str:
    return re.sub(r"[\s-]", "", text).casefold()
