"""R's saved objects (``.rds``, ``.rda``), unpacked: walked item by item; nothing is evaluated.

Follows "R Internals", 1.8, and ``serialize.c`` (formats X, B and A, versions 2 and 3, byte code included).

* A promise that has no value yet is an expression that R evaluates as soon as somebody looks at the object
  (CVE-2024-27322). No model holds one but inside of an environment, where functions leave their arguments.
* ``.First`` and its like in a saved workspace are called when a session starts or ends.
* Functions that are saved with a model are ordinary; ones that run commands are told.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from watchword.inspect.exhibit import MAGIC, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.source import Source
from watchword.limits import R_ITEMS_MAX, R_NESTING_MAX

_MARK = re.compile(rb"(?:RD[XAB][23]\n)?(?:X\n\0\0\0[\2\3]\0|B\n[\2\3]\0\0\0|A\n[23]\n\d+\n)")
_UNBOUND = 252
_ALONE = frozenset({254, 253, 252, 251, 250, 242, 241, 243})
_WIDTHS = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
_COMMANDS_TEXT = """
    system system2 shell shell.exec pipe socketConnection serverSocket download.file source dyn.load library.dynam
    unlink file.remove Sys.setenv setwd install.packages writeLines file.copy file.create
"""
_COMMANDS = frozenset(_COMMANDS_TEXT.split())
_STARTS = frozenset({".First", ".Last", ".First.sys", ".Last.sys", ".onLoad", ".onAttach"})


@dataclass(slots=True)
class RFacts:
    """``symbols`` and ``tags`` with the offset of the first. ``promises``: places of those without value, outside."""

    version: int = 0
    symbols: dict[str, int] = field(default_factory=dict)
    promises: list[int] = field(default_factory=list)
    inner_promises: int = 0
    functions: int = 0
    pointers: int = 0
    elements: int = 0


class _Numbers:
    """Numbers and texts in one of the three forms."""

    def __init__(self, source: Source, start: int, form: str) -> None:
        self.reader = Reader(source, start)
        self.form = form
        self.code = ">i" if form == "X" else "<i"

    def word(self) -> str:
        at = self.reader.tell()
        line, length = self.reader.line(64)
        if length > 64:
            raise Malformed(at, "a number of more than 64 characters")
        return line.decode("ascii", "replace").strip()

    def number(self) -> int:
        if self.form != "A":
            return int(struct.unpack(self.code, self.reader.take(4))[0])
        at, word = self.reader.tell(), self.word()
        if word == "NA":
            return -(2**31)
        if not re.fullmatch(r"-?\d{1,11}", word):
            raise Malformed(at, "not a number")
        return int(word)

    def text(self, length: int) -> bytes:
        """A text of *length* bytes, cut to 256."""
        if self.form != "A":
            kept = self.reader.take(min(length, 256))
            self.reader.skip(length - len(kept))
            return kept
        line, _ = self.reader.line(256)
        return line

    def skip(self, count: int, width: int) -> None:
        """Pass over *count* numbers."""
        if self.form != "A":
            self.reader.skip(count * width)
            return
        for _ in range(count * (2 if width == 16 else 1)):
            self.reader.line(8)


class _Walk:
    """The items of a file. ``work`` holds what is still to be read: (what, whether inside an environment, more)."""

    def __init__(self, numbers: _Numbers) -> None:
        self.numbers = numbers
        self.facts = RFacts()
        self.left = R_ITEMS_MAX
        self.work: list[tuple[str, bool, int]] = [("item", False, 0)]
        self.sort = -1

    def run(self) -> None:
        while self.work:
            what, inside, number = self.work.pop()
            self.left -= 1
            if self.left < 0 or len(self.work) > R_NESTING_MAX:
                raise Malformed(self.numbers.reader.tell(), "more items, or deeper ones, than are followed", limit=True)
            if what == "item":
                self.item(inside)
            elif what == "value":
                self.value(inside, number)
            elif what == "items":
                if number > 1:
                    self.work.append(("items", inside, number - 1))
                if number > 0:
                    self.work.append(("item", inside, 0))
            elif what == "code":
                self.work += [("constants", inside, 0), ("item", inside, 0)]
            elif what == "constants":
                self.push("constant", inside, self.count())
            elif what == "constant":
                self.push("constant", inside, number - 1)
                self.constant(inside, self.numbers.number())
            else:
                self.constant(inside, self.numbers.number())

    def push(self, what: str, inside: bool, number: int) -> None:
        if number > 0:
            self.work.append((what, inside, number))

    def count(self) -> int:
        at = self.numbers.reader.tell()
        value = self.numbers.number()
        if value == -1:
            value = (self.numbers.number() & 0xFFFFFFFF) << 32 | self.numbers.number() & 0xFFFFFFFF
        if not 0 <= value <= self.numbers.reader.source.size:
            raise Malformed(at, f"a length of {value:,} is longer than the file")
        return value

    def constant(self, inside: bool, sort: int) -> None:
        """A constant of byte code: code again, a call or list in a form of its own, or an item."""
        if sort == 21:
            self.work.append(("code", inside, 0))
        elif sort == 243:
            self.numbers.number()
        elif sort == 244:
            self.numbers.number()
            self.work.append(("lang", inside, 0))
        elif sort in (2, 6, 239, 240):
            self.work += [("lang", inside, 0), ("lang", inside, 0), ("item", inside, 0)]
            if sort in (239, 240):
                self.work.append(("item", inside, 0))
        else:
            self.work.append(("item", inside, 0))

    def item(self, inside: bool) -> None:
        numbers, facts = self.numbers, self.facts
        at = numbers.reader.tell()
        flags = numbers.number()
        sort, attributed, tagged = flags & 255, bool(flags & 0x200), bool(flags & 0x400)
        self.sort = sort
        if sort in _ALONE:
            return
        if sort == 255:
            if not flags >> 8:
                numbers.number()
        elif sort in (247, 248, 249):
            numbers.number()
            self.push("items", inside, self.count())
        elif sort == 1:
            self.symbol(at)
        elif sort == 4:
            numbers.number()
            self.work.append(("items", True, 4))
        elif sort in (2, 3, 5, 6, 17):
            self.pair(sort, at, attributed, tagged, inside)
        elif sort in (7, 8):
            numbers.text(self.count())
        elif sort == 9:
            length = numbers.number()
            if length > numbers.reader.left():
                raise Malformed(at, f"a text of {length:,} bytes is longer than the file")
            if length >= 0:
                numbers.text(length)
            self.push("item", inside, int(attributed))
        elif sort in _WIDTHS:
            count = self.count()
            facts.elements += count
            numbers.skip(count, _WIDTHS[sort])
            self.push("item", inside, int(attributed))
        elif sort in (16, 19, 20):
            self.push("item", inside, int(attributed))
            self.push("items", inside, self.count())
        elif sort == 21:
            numbers.number()
            self.push("item", inside, int(attributed))
            self.work.append(("code", inside, 0))
        elif sort in (22, 23):
            facts.pointers += sort == 22
            self.push("items", inside, (2 if sort == 22 else 0) + attributed)
        elif sort == 25:
            self.push("item", inside, int(attributed))
        elif sort == 238:
            self.push("items", inside, 3)
        else:
            raise Malformed(at, f"an item of type {sort}, which R does not write")

    def symbol(self, at: int) -> None:
        numbers = self.numbers
        if numbers.number() & 255 != 9:
            raise Malformed(at, "a symbol without a name")
        length = numbers.number()
        name = numbers.text(length).decode("utf-8", "backslashreplace") if 0 <= length <= 10_000 else ""
        if length > 10_000:
            raise Malformed(at, "a symbol of more than 10,000 characters")
        if len(self.facts.symbols) < 100_000:
            self.facts.symbols.setdefault(name, at)

    def pair(self, sort: int, at: int, attributed: bool, tagged: bool, inside: bool) -> None:
        """A pair: attributes, tag, head, tail. Of a promise: environment, value, expression."""
        if sort == 3:
            self.facts.functions += 1
        if sort == 5:
            self.promise(at, attributed, tagged, inside)
        else:
            self.work += [("item", inside, 0)] * (2 + attributed + tagged)

    def promise(self, at: int, attributed: bool, tagged: bool, inside: bool) -> None:
        self.work += [("item", inside, 0), ("value", inside, at), *[("item", inside, 0)] * (attributed + tagged)]

    def value(self, inside: bool, at: int) -> None:
        """The value of the promise at *at*: without one its expression is still to be evaluated."""
        self.item(inside)
        if self.sort != _UNBOUND:
            return
        if inside:
            self.facts.inner_promises += 1
        elif len(self.facts.promises) < 50:
            self.facts.promises.append(at)


def read_r(source: Source) -> RFacts:
    """Walk the object in *source*, whose mark stands at its beginning.

    Raises:
        Malformed: malformed, or past a bound.
    """
    head = source.read_at(0, 16)
    start = 5 if head.startswith((b"RDX", b"RDA", b"RDB")) else 0
    numbers = _Numbers(source, start + 2, head[start : start + 1].decode("latin-1"))
    walk = _Walk(numbers)
    try:
        walk.facts.version = numbers.number()
        numbers.number()
        numbers.number()
        if walk.facts.version == 3:
            numbers.text(min(max(numbers.number(), 0), 64))
        walk.run()
    except Ended:
        raise Malformed(source.size, "it is cut off") from None
    if numbers.reader.left() and source.read_at(numbers.reader.tell(), 64).strip(b"\n"):
        raise Malformed(numbers.reader.tell(), f"{numbers.reader.left():,} bytes after the end")
    return walk.facts


def oddities(facts: RFacts) -> list[Oddity]:
    """What of *facts* no model needs."""
    words = "a promise without a value: R evaluates its expression when the object is looked at"
    found = [Oddity("r-promise", at, words) for at in facts.promises]
    reached = sorted(facts.symbols.keys() & _COMMANDS)
    if reached and (facts.functions or facts.promises or facts.inner_promises):
        words = f"a function or expression names {', '.join(reached[:6])}"
        found.append(Oddity("r-command", facts.symbols[reached[0]], words, " ".join(reached)))
    for name in sorted(facts.symbols.keys() & _STARTS):
        found.append(Oddity("r-start", facts.symbols[name], f"defines {name}, which R calls by itself", name))
    return found


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_r(exhibit.source)
    except Malformed as error:
        exhibit.malformed("r-broken", error, error.offset)
        return what, "up to where it is malformed"
    exhibit.keep(*oddities(facts))
    if facts.functions:
        exhibit.note(f"holds {facts.functions:,} functions of R, as models do that bring their own")
    exhibit.merge({"frameworks": [f"r serialization {facts.version}"], "elements": facts.elements})
    return what, "every item by its type; nothing evaluated"


FORMATS = (Format("r data", MAGIC, lambda source, head, name: _MARK.match(head) is not None, _read, "rds rda rdata"),)
