"""Judges a stream of pickles: runs the machine, puts each event to the rules, accounts for the bytes after the end.

* Pickles may stand one after another; each is judged. What follows the last one must be known raw data or is a finding.
* A stream in which joblib would pass over array bytes is judged twice: as joblib reads it, and as a plain unpickler
  would run it.
* A stream whose frames cut through opcodes, which no pickler writes, is also judged as the C unpickler would cut it.
* Byte strings that an allowed loader would unpickle again are judged as streams of their own, once each.
* A constant that is itself a pickle which would act (raw, or as Base64 or hex digits) is a finding, although loading
  this file does not load it: somebody put it there for something.
* A stream that is not certainly a pickle (nothing marks protocols 0 and 1) counts as one if it runs to its end or
  does something bad before it breaks.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchword.inspect.facts import Oddity
from watchword.inspect.pickles.allowed import LOADED_AGAIN
from watchword.inspect.pickles.calls import rule_on, rule_on_write
from watchword.inspect.pickles.denied import EXECUTING_WORDS
from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import OPCODES, Outcome, run
from watchword.inspect.pickles.program import program
from watchword.inspect.pickles.reader import FramedReader, Reader
from watchword.inspect.pickles.standing import standing
from watchword.inspect.pickles.values import Blob, Call, Container, Event, Global, Import, Made, Value, arguments
from watchword.inspect.rules import check_all
from watchword.inspect.source import Held, Part, Source
from watchword.limits import (
    FINDINGS_PER_RULE_MAX,
    NESTING_MAX,
    PICKLE_GLOBALS_MAX,
    PICKLE_NESTED_BYTES_MAX,
    PROGRAM_LINES_MAX,
)

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of a PyTorch file before 1.6 (torch.serialization.MAGIC_NUMBER)."""

STORAGE_ITEM_BYTES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
    "ComplexFloat": 8, "ComplexDouble": 16, "Untyped": 1, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1,
    "QUInt2x4": 1,
}  # fmt: skip


_ACTS = frozenset({"pickle-call", "pickle-unknown-call", "pickle-argument", "pickle-write"})
_PLANTED = _ACTS | {"pickle-import", "pickle-planted"}


@dataclass(slots=True)
class PickleReport:
    """What is said of one stream.

    ``kind`` is pickle, joblib or torch-legacy. ``nested`` are sources inside it that its loader would load too.
    ``proven``: it ran to its end, or did something that is a finding, so it is a pickle even if unmarked.
    """

    kind: str
    oddities: list[Oddity]
    facts: dict[str, Any]
    unread: list[tuple[int, int]]
    nested: list[tuple[str, Source]]
    proven: bool


class _Judge:
    """Collects what the rules say of one stream; repeats of one thing are counted, not kept."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.kept: dict[tuple[str, str], list[Any]] = {}
        self.count: dict[str, int] = {}
        self.dropped = 0
        self.imports: dict[Global, int] = {}
        self.harmless: set[Global] = set()
        self.loading: dict[Global, int] = {}
        self.valued: set[Global] = set()
        self.quiet: set[tuple[object, ...]] = set()
        self.nested: dict[int, Source] = {}
        self.loaded: list[Value] = []
        self.calls = 0
        self.found: list[Event] = []

    def on_event(self, event: Event) -> None:
        if type(event) is Import:
            if event.target not in self.imports:
                self.imports[event.target] = event.offset
                how = standing(event.target)
                if event.target.path in LOADED_AGAIN:
                    self.loading[event.target] = LOADED_AGAIN[event.target.path]
                if how.kind == "allowed" and how.shape in ("any", "plain", "pairs") and not event.target.dynamic:
                    (self.harmless if how.shape == "any" else self.valued).add(event.target)
                self.keep(check_all(event))
        elif type(event) is Call:
            self.calls += 1
            if type(event.callee) is Global:
                if event.callee in self.harmless and Made not in map(type, arguments(event.args)):
                    return  # values alone: an object among them may act when it is used
                if event.callee in self.loading:
                    self._nest(event, self.loading[event.callee])
            alike = self._alike(event)
            if alike in self.quiet:
                return
            ruling = rule_on(event)
            if ruling is not None:
                self._tell(event)
                self.keep(check_all(ruling))
            elif alike is not None and len(self.quiet) < PICKLE_GLOBALS_MAX:
                self.quiet.add(alike)
        else:
            changed = rule_on_write(event)  # type: ignore[arg-type]  # the third kind of event
            if changed is not None:
                self._tell(event)
                self.keep(check_all(changed))

    def _tell(self, event: Event) -> None:
        """Remember an event that is a finding, for the program that is shown."""
        if len(self.found) < PROGRAM_LINES_MAX:
            self.found.append(event)

    def keep(self, oddities: Iterable[Oddity]) -> None:
        for oddity in oddities:
            key = (oddity.rule, oddity.message)
            if key in self.kept:
                self.kept[key][1] += 1
            elif self.count.get(oddity.rule, 0) < FINDINGS_PER_RULE_MAX:
                self.count[oddity.rule] = self.count.get(oddity.rule, 0) + 1
                self.kept[key] = [oddity, 0]
            else:
                self.dropped += 1

    def acted(self) -> bool:
        """True when something was called or changed that is a finding, or what executes under any name was imported.

        Other imports do not count: the words of a text can look like one (a list that begins with cos and sin).
        """
        imports = (oddity.evidence for (rule, _), (oddity, _) in self.kept.items() if rule == "pickle-import")
        executing = any(path.rpartition(".")[2] in EXECUTING_WORDS for path in imports)
        return executing or any(rule in _ACTS for rule, _ in self.kept)

    def oddities(self) -> list[Oddity]:
        """Each finding once. An import of what is also called is told by the call."""
        called = {o.evidence.partition("(")[0] for (rule, _), (o, _) in self.kept.items() if rule == "pickle-call"}
        found = []
        for (rule, _), (oddity, repeats) in self.kept.items():
            if rule == "pickle-import" and oddity.evidence in called:
                continue
            if repeats:
                oddity = Oddity(rule, oddity.offset, oddity.message, f"{oddity.evidence}  ({repeats:,} times more)")
            found.append(oddity)
        return found

    def _alike(self, call: Call) -> tuple[object, ...] | None:
        """What decides about a call of a function that values cannot lead astray: a model has a million alike."""
        if type(call.callee) is not Global or call.callee not in self.valued or call.kwargs is not None:
            return None
        given = arguments(call.args)
        if any(type(value) is Container and value.count for value in given):
            return None
        return call.callee, *(value if type(value) in (Global, Made) else type(value) for value in given)

    def _nest(self, call: Call, at: int) -> None:
        """Have the bytes that *call* loads, its argument *at*, judged as a stream of their own."""
        for value in arguments(call.args)[at : at + 1]:
            inner = _bytes_of(value, self.source)
            if inner is None:
                what = "the bytes that are loaded again could not be followed"
                self.keep([Oddity("pickle-limit", call.offset, what)])
            elif len(self.nested) < 1000 and inner.size:
                self.loaded.append(value)
                start = value.start if isinstance(value, Blob) and value.start is not None else call.offset
                self.nested.setdefault(start, inner)


def judge_pickle(source: Source, depth: int = 0) -> PickleReport:
    """Judge the pickles in *source*, which starts at the first opcode; *depth* counts the constants it came from."""
    judge = _Judge(source)
    machine = Machine(judge.on_event, joblib=True)
    reader = Reader(source)
    first, last, kind, end = _run_all(machine, reader, judge)
    proven = judge.acted() or (first.how == "stop" and not _left_over(source, end))
    unread = []
    if last.how != "stop":
        rule = "pickle-limit" if last.how == "limit" else "pickle-broken"
        judge.keep([Oddity(rule, last.end, last.why)])
        if last.end < source.size:
            unread.append((last.end, source.size))
    elif _left_over(source, end):
        head = source.read_at(end, 16)
        judge.keep([Oddity("pickle-trailing", end, f"{source.size - end:,} bytes after the end", head.hex(" "))])
        unread.append((end, source.size))
    if machine.arrays:
        _judge_otherwise(Reader(source), judge)
    if machine.crossed is not None:
        words = "an opcode or a frame crosses the end of its frame: readers disagree on what follows"
        judge.keep([Oddity("pickle-frame", machine.crossed, words)])
        _judge_otherwise(FramedReader(source), judge)
    _judge_planted(machine, judge, depth)
    facts = _facts(judge, machine)
    nested = [(f"bytes@{at:#x}", inner) for at, inner in sorted(judge.nested.items())]
    return PickleReport("joblib" if machine.arrays else kind, judge.oddities(), facts, unread, nested, proven)


def _run_all(machine: Machine, reader: Reader, judge: _Judge) -> tuple[Outcome, Outcome, str, int]:
    """Run pickle after pickle. Gives the first and the last outcome, the kind, and the end of what is explained."""
    first = last = run(machine, reader)
    kind = "torch-legacy" if first.how == "stop" and machine.result == TORCH_MAGIC else "pickle"
    while last.how == "stop":
        if kind == "torch-legacy" and reader.left() == _storage_bytes(machine):
            return first, last, kind, reader.source.size
        if reader.left() <= 0 or reader.source.read_at(last.end, 1)[0] not in OPCODES:
            break
        before = len(judge.kept)
        following = run(machine, reader)
        if following.how != "stop" and len(judge.kept) == before:
            break  # it breaks without having done anything: no pickle but trailing bytes
        last = following
    return first, last, kind, last.end


def _judge_otherwise(reader: Reader, judge: _Judge) -> None:
    """Judge the stream as another unpickler reads it: joblib's array bytes as opcodes, or frames as C cuts them."""
    run(Machine(judge.on_event, second=True), reader)


def _judge_planted(machine: Machine, judge: _Judge, depth: int) -> None:
    """Judge the constants that are pickles and that nothing here loads."""
    left = PICKLE_NESTED_BYTES_MAX
    loaded = {id(value) for value in judge.loaded}
    for at, value in machine.planted.items():
        inner = None if id(value) in loaded else _planted(value, judge.source, left)
        if inner is None:
            continue
        if depth >= NESTING_MAX:
            judge.keep([Oddity("pickle-planted", at, f"pickles stand in constants of pickles more than {depth} deep")])
            return
        left -= inner.size
        found = next((o for o in judge_pickle(inner, depth + 1).oddities if o.rule in _PLANTED), None)
        if found is not None:
            told = "" if found.rule == "pickle-planted" else "a constant is itself a pickle: "
            words = told + found.message
            judge.keep([Oddity("pickle-planted", at, words, found.evidence)])


def _planted(value: Value, source: Source, most: int) -> Source | None:
    """The pickle that a constant is; None when it is none after all, or longer than *most* bytes."""
    size = value.size if isinstance(value, Blob) else len(value)
    if size > most:
        return None
    if isinstance(value, bytes) or (isinstance(value, Blob) and value.kind == "bytes"):
        return _bytes_of(value, source)
    if isinstance(value, Blob):
        if value.start is None:
            return None
        value = source.read_at(value.start, value.size).decode("ascii", "replace")
    try:
        return Held(bytes.fromhex(value) if value[0] == "8" else binascii.a2b_base64(value, strict_mode=True))
    except ValueError:
        return None


def _left_over(source: Source, end: int) -> bool:
    """True when more than padding follows *end*."""
    tail = source.read_at(end, 4096)
    return len(tail) == 4096 or bool(tail.strip(b"\0\n\r\t "))


def _storage_bytes(machine: Machine) -> int:
    """Bytes of the raw storages of a legacy PyTorch file: a count of 8 bytes and the elements, for each key."""
    total = 0
    for name, numel in machine.storages.values():
        size = STORAGE_ITEM_BYTES.get(name.removesuffix("Storage"))
        if size is None or numel < 0:
            return -1
        total += 8 + size * numel
    return total


def _bytes_of(value: Value, source: Source) -> Source | None:
    """The bytes that *value* stands for, as a source; None when they cannot be had."""
    if isinstance(value, bytes):
        return Held(value)
    if not isinstance(value, Blob) or value.start is None or value.kind != "bytes":
        return None
    if not value.latin1:
        return Part(source, value.start, value.size)
    if value.size > PICKLE_NESTED_BYTES_MAX:
        return None
    try:
        return Held(source.read_at(value.start, value.size).decode().encode("latin-1"))
    except UnicodeError:
        return None


def _facts(judge: _Judge, machine: Machine) -> dict[str, Any]:
    names = sorted({target.path for target in judge.imports if not target.dynamic})
    facts: dict[str, Any] = {
        "protocol": machine.protocol,
        "modules": sorted({name.partition(".")[0] for name in names})[:200],
        "imports": names[:200],
        "calls": judge.calls,
    }
    if judge.found:
        facts["program"] = program(judge.found)
    if machine.arrays:
        facts["arrays"] = len(machine.arrays)
    if machine.storages:
        facts["tensors"] = len(machine.storages)
    if judge.dropped:
        facts["findings_not_listed"] = judge.dropped
    return facts
