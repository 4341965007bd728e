"""The state of the pickle machine, run over symbols: what would loading import, call and write?

Nothing is imported or called. The opcodes themselves are in ``opcodes.py``, with the function that runs them.

* Each import, call and write is reported as an event, in the order in which a loader would do it, *before* anything
  that comes later in the stream is looked at: a stream that breaks off after a call has still made the call.
* Where CPython would stop with a type error, this machine goes on. It so reports a superset: never less than a loader.
* No recursion, and a bounded amount is kept of every value (``values.py``), so time is linear and memory limited.
"""

from __future__ import annotations

from collections.abc import Callable

from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.pickles.values import (
    Blob,
    Call,
    Container,
    Event,
    Global,
    Import,
    Made,
    Opaque,
    Persistent,
    Value,
    Write,
    arguments,
)
from watchword.inspect.source import Held
from watchword.limits import (
    PICKLE_GLOBALS_MAX,
    PICKLE_ITEMS_MAX,
    PICKLE_NESTING_MAX,
    PICKLE_OPS_MAX,
    PICKLE_PLANTED_MAX,
    PICKLE_STACK_MAX,
    PICKLE_TEXT_BYTES_MAX,
    PICKLE_TEXT_TOTAL_MAX,
    PICKLE_VALUES_MAX,
)

HEAD = 64
"""Bytes kept of a constant that is too long to keep."""


class Broken(Exception):
    """The stream is not a pickle from here on; CPython would raise."""


class Limit(Exception):
    """A bound of watchword was reached; the rest was not followed."""


class Machine:
    """Runs pickles that stand one after another in a stream. Budgets are for all of them together."""

    def __init__(self, on_event: Callable[[Event], None], joblib: bool = False, second: bool = False) -> None:
        """*joblib*: pass over array bytes. *second*: this is another reading of a stream that was judged before."""
        self.on_event = on_event
        self.joblib = joblib
        self.second = second
        self.reader = Reader(Held(b""))
        self.ops_left = PICKLE_OPS_MAX
        self.kept_values = 0
        self.kept_text = 0
        self.globals: dict[tuple[str, str, bool], Global] = {}
        self.extensions: dict[int, Global] = {}
        self.storages: dict[str, tuple[str, int]] = {}
        self.planted: dict[int, Value] = {}
        self.crossed: int | None = None
        self.arrays: list[tuple[int, int]] = []
        self.reset()

    def reset(self) -> None:
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: list[Value] = []
        self.sparse: dict[int, Value] = {}
        self.memo_count = 0
        self.protocol = 0
        self.result: Value = None

    # -- stack -------------------------------------------------------------------------------------

    def pop(self) -> Value:
        if len(self.stack) <= self.fence:
            raise Broken("takes a value from an empty stack")
        return self.stack.pop()

    def top(self) -> Value:
        if len(self.stack) <= self.fence:
            raise Broken("looks at an empty stack")
        return self.stack[-1]

    def pop_mark(self) -> list[Value]:
        if not self.marks:
            raise Broken("there is no mark")
        at = self.marks.pop()
        self.fence = self.marks[-1] if self.marks else 0
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def mark(self) -> None:
        if len(self.marks) >= PICKLE_STACK_MAX:
            raise Limit(f"more than {PICKLE_STACK_MAX:,} marks on the stack")
        self.fence = len(self.stack)
        self.marks.append(self.fence)

    # -- values ------------------------------------------------------------------------------------

    def container(self, kind: str, items: list[Value]) -> Container:
        self.kept_values += 1
        if not items:
            return Container(kind)
        kept, depth = self.bounded(items, PICKLE_ITEMS_MAX * (2 if kind == "dict" else 1))
        return Container(kind, kept, len(items), depth)

    def extend(self, value: Container, items: list[Value]) -> None:
        """Add *items* to *value*, keeping the first of them."""
        value.count += len(items)
        room = PICKLE_ITEMS_MAX * (2 if value.kind == "dict" else 1) - len(value.items)
        if room > 0:
            kept, depth = self.bounded(items, room)
            value.items += kept
            if depth > value.depth:
                value.depth = depth

    def bounded(self, items: list[Value], count: int) -> tuple[tuple[Value, ...], int]:
        """The first *count* items, and the depth of what holds them; what nests too deep is emptied."""
        kept = tuple(items) if len(items) <= count else tuple(items[:count])
        depth = 1
        for item in kept:
            if type(item) in _NESTING and item.depth >= depth:
                depth = item.depth + 1
        if depth > (PICKLE_NESTING_MAX if self.kept_values < PICKLE_VALUES_MAX else 4):
            return tuple(Opaque("deep") if type(item) in _NESTING else item for item in kept), 1
        return kept, depth

    def made(self, callee: Value, args: Value, kwargs: Value, how: str, at: int) -> Made:
        self.kept_values += 1
        depth = 1 + max(getattr(callee, "depth", 0), getattr(args, "depth", 0), getattr(kwargs, "depth", 0))
        if depth > (PICKLE_NESTING_MAX if self.kept_values < PICKLE_VALUES_MAX else 4):
            callee = callee if isinstance(callee, Global) else Opaque("deep")
            args, kwargs, depth = Opaque("deep"), None, 1
        return Made(callee, args, kwargs, how, at, depth)

    def remember(self, index: int, value: Value) -> None:
        """PUT: keep *value* under *index*. Past a bound only imports are kept whole."""
        if self.memo_count > PICKLE_VALUES_MAX and not isinstance(value, Global):
            value = _FORGOTTEN
        if index < len(self.memo):
            self.memo[index] = value
            return
        if index == len(self.memo):
            self.memo.append(value)
            if self.sparse.pop(index, self) is self:
                self.memo_count += 1
            return
        if index not in self.sparse:
            self.memo_count += 1
            if len(self.sparse) >= PICKLE_VALUES_MAX:
                raise Limit(f"more than {PICKLE_VALUES_MAX:,} scattered memo entries")
        self.sparse[index] = value

    def recall(self, index: int) -> Value:
        if 0 <= index < len(self.memo):
            return self.memo[index]
        if index in self.sparse:
            return self.sparse[index]
        raise Broken(f"memo entry {index} was never stored")

    # -- what loading would do -----------------------------------------------------------------------

    def import_(self, module: str, name: str, at: int, dynamic: bool = False) -> Global:
        key = (module, name, dynamic)
        target = self.globals.get(key)
        if target is None:
            if len(self.globals) >= PICKLE_GLOBALS_MAX:
                raise Limit(f"more than {PICKLE_GLOBALS_MAX:,} different imports")
            target = self.globals[key] = Global(module, name, dynamic)
        self.on_event(Import(target, at))
        return target

    def call(self, callee: Value, args: Value, kwargs: Value, how: str, at: int) -> Value:
        self.on_event(Call(callee, args, kwargs, how, at))
        if isinstance(callee, Global):
            if callee.name == "encode" and callee.module == "_codecs":
                folded = _latin1(args)
                if folded is not None:
                    self.plant(at, folded)
                    return folded
            elif callee.name == "add_extension":
                self._register_extension(args)
        return self.made(callee, args, kwargs, how, at)

    def write(self, target: Value, state: Value, at: int, how: str = "BUILD") -> None:
        self.on_event(Write(target, state, at, how))

    def _register_extension(self, args: Value) -> None:
        given = arguments(args)
        if len(given) == 3 and isinstance(given[0], str) and isinstance(given[1], str) and isinstance(given[2], int):
            self.extensions[given[2]] = Global(given[0], given[1])

    def extension(self, code: int) -> None:
        at = self.reader.tell()
        known = self.extensions.get(code)
        if known is not None:
            self.stack.append(self.import_(known.module, known.name, at))
        else:
            self.stack.append(self.import_("copyreg", f"extension {code}", at, dynamic=True))

    def persistent(self, pid: Value) -> None:
        """Push the object of *pid*; PyTorch's storages are remembered by key: (type name, elements)."""
        given = arguments(pid)
        if len(given) >= 5 and given[0] == "storage" and isinstance(given[2], str) and len(self.storages) < 1_000_000:
            numel = given[4] if type(given[4]) is int else -1
            self.storages[given[2]] = (given[1].name if isinstance(given[1], Global) else "", numel)
        self.stack.append(Persistent(pid))

    # -- constants -----------------------------------------------------------------------------------

    def bytes_(self, length: int) -> Value:
        at = self.reader.tell()
        if length <= 256:
            data = self.reader.take(length)
            if data[:1] == b"\x80":
                self.plant(at, data)
            return data
        if length > self.reader.left():
            raise Ended
        head = self.reader.take(HEAD)
        self.reader.skip(length - HEAD)
        blob = Blob("bytes", length, head, at)
        self.plant(at, blob)
        return blob

    def text(self, length: int, encoding: str = "utf-8") -> Value:
        at = self.reader.tell()
        if length > self.reader.left():
            raise Ended
        if length <= HEAD or (length <= PICKLE_TEXT_BYTES_MAX and self.kept_text < PICKLE_TEXT_TOTAL_MAX):
            if length > HEAD:
                self.kept_text += length
            text = decode(self.reader.take(length), encoding)
            if text[:2] in ("gA", "80"):
                self.plant(at, text)
            return text
        head = decode(self.reader.take(HEAD), encoding)
        self.reader.skip(length - HEAD)
        blob = Blob("str", length, head, at)
        self.plant(at, blob)
        return blob

    def plant(self, at: int, value: Value) -> None:
        """Remember a constant that is a marked pickle, as bytes or as Base64 or hex digits, for a look of its own."""
        head = value.head if isinstance(value, Blob) else value
        marked = head.startswith(_MARKED_BYTES if isinstance(head, bytes) else _MARKED_TEXT)
        if marked and len(self.planted) < PICKLE_PLANTED_MAX:
            self.planted[at] = value

    def line(self) -> tuple[str, bool]:
        """A text line and whether it was kept whole."""
        data, length = self.reader.line(PICKLE_TEXT_BYTES_MAX)
        return decode(data, "utf-8"), length <= PICKLE_TEXT_BYTES_MAX

    def number(self) -> int:
        text, _ = self.line()
        try:
            return int(text[:20])
        except ValueError:
            raise Broken("not a number") from None


_FORGOTTEN = Opaque("object")
_MARKED_BYTES = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))
_MARKED_TEXT = ("gA", "8002", "8003", "8004", "8005")
_NESTING = frozenset({Container, Made})


def decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace")


def _latin1(args: Value) -> Value:
    """What ``_codecs.encode(text, 'latin1')`` gives: how protocol 2 writes bytes. None when it is another call."""
    given = arguments(args)
    if len(given) != 2 or given[1] not in ("latin1", "latin-1"):
        return None
    if isinstance(given[0], str):
        try:
            return given[0].encode("latin-1")
        except UnicodeEncodeError:
            return None
    if isinstance(given[0], Blob) and given[0].kind == "str":
        return Blob("bytes", given[0].size, given[0].head.encode("latin-1", "replace"), given[0].start, latin1=True)
    return None
