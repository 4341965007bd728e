"""What loading would run, as a small Python program: the imports, calls and writes behind the findings, in order.

* It is for people to read. It is valid Python and does what the pickle would do as far as that can be told; what was
  not kept of a value is written as ``...``.
* Only what the findings need is in it: an honest model around a gadget leaves no line.
* Bounded in lines and in length, whatever the pickle nests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchword.inspect.facts import shown
from watchword.inspect.pickles.values import (
    Blob,
    Call,
    Container,
    Event,
    Global,
    Import,
    Made,
    Persistent,
    Value,
    Write,
    arguments,
)
from watchword.limits import EVIDENCE_CHARS_MAX, PROGRAM_LINES_MAX

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_BRACKETS = {"tuple": ("(", ")"), "list": ("[", "]"), "set": ("{", "}"), "frozenset": ("frozenset({", "})")}

_TORCH = "torch.load(weights_only=False)"
_NUMPY = "numpy.load(allow_pickle=True)"


def loaders_of(kind: str, path: str) -> list[str]:
    """The loaders that would run a stream of this kind at *path*: most hand a plain pickle to Python's unpickler."""
    name = path.rpartition("/")[2].rpartition(":")[2]
    if kind == "joblib":
        return ["joblib.load"]
    if kind == "torch-legacy" or (":" in path and name in ("data.pkl", "constants.pkl")):
        return [_TORCH]
    if kind == "npy":
        return [_NUMPY]
    return ["joblib.load", _NUMPY, "pandas.read_pickle", "pickle.load", _TORCH]


def program(events: Iterable[Event]) -> str:
    """The program behind *events* (those that are findings), one statement a line."""
    writer = _Writer()
    for event in events:
        writer.event(event)
    imports = [f"import {module}" for module in sorted(writer.modules)]
    return "\n".join([*imports, *writer.lines][:PROGRAM_LINES_MAX])


class _Writer:
    """Writes each object that has been made once, before it is used, and calls it by a name from then on."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.room = 0

    def event(self, event: Event) -> None:
        if len(self.lines) >= PROGRAM_LINES_MAX:
            return
        if isinstance(event, Import):
            self._line(self._text(event.target, 1), event.offset)
        elif isinstance(event, Call):
            self._needed(event.callee, event.args, event.kwargs)
            self._assign(event.offset, self._call(event))
        else:
            self._needed(event.target, event.state)
            self._line(self._write(event), event.offset)

    def _needed(self, *values: Value) -> None:
        """Write the objects that *values* hold, innermost first, as far as they are not written yet."""
        waiting = [(value, False) for value in reversed(values)]
        seen = 0
        while waiting and seen < 400 and len(self.lines) < PROGRAM_LINES_MAX:
            value, ready = waiting.pop()
            seen += 1
            if isinstance(value, Container):
                waiting.extend((item, False) for item in reversed(value.items))
            elif isinstance(value, Made) and value.offset not in self.names:
                if not ready:
                    waiting.append((value, True))
                    waiting.extend((part, False) for part in (value.kwargs, value.args, value.callee))
                else:
                    self._assign(value.offset, self._call(value))
                    if value.state is not None:
                        state = self._text(value.state, 4)
                        self._line(f"{self.names[value.offset]}.__setstate__({state})", value.offset)

    def _assign(self, offset: int, text: str) -> None:
        if offset not in self.names:
            self.names[offset] = f"made_{len(self.names) + 1}"
            self._line(f"{self.names[offset]} = {text}", offset)

    def _line(self, text: str, offset: int) -> None:
        self.lines.append(f"{text}  # {offset:#x}")

    def _call(self, call: Call | Made) -> str:
        callee = self._text(call.callee, 2)
        if call.how in ("NEWOBJ", "NEWOBJ_EX"):
            callee += ".__new__"
        self.room = EVIDENCE_CHARS_MAX
        given = call.args
        parts = [self._text(value, 5) for value in arguments(given)]
        if not isinstance(given, Container):
            parts.append("*" + self._text(given, 2))
        elif given.count > len(given.items):
            parts.append("...")
        if isinstance(call.kwargs, Container) and call.kwargs.count:
            parts.append("**" + self._text(call.kwargs, 4))
        if call.how in ("NEWOBJ", "NEWOBJ_EX"):
            parts.insert(0, callee.removesuffix(".__new__"))
        return f"{callee}({', '.join(parts)})"

    def _write(self, write: Write) -> str:
        self.room = EVIDENCE_CHARS_MAX
        target, state = self._text(write.target, 2), self._text(write.state, 5)
        if write.how == "APPENDS":
            return f"{target}.extend({state})"
        if write.how == "ADDITEMS":
            return f"{target}.update({state})"
        if write.how == "SETITEMS":
            items = arguments(write.state)
            pairs = Container("dict", items, len(items))
            return f"{target}.update({self._text(pairs, 5)})"
        if isinstance(write.target, Global):
            return f"vars({target}).update({state})"
        return f"{target}.__setstate__({state})"

    def _text(self, value: Value, depth: int) -> str:
        self.room -= 4
        if isinstance(value, Made):
            return self.names.get(value.offset, "...")
        if isinstance(value, Global):
            return self._global(value)
        if isinstance(value, Container):
            return self._container(value, depth)
        if isinstance(value, Blob):
            return f"{value.head!r} + ..." if len(value.head) else "..."
        if isinstance(value, Persistent):
            return "persistent_load(...)"
        if value is None or isinstance(value, bool | int | float | str | bytes | complex):
            text = repr(value) if not isinstance(value, str | bytes) else repr(value[:400])
            self.room -= len(text)
            return shown(text, EVIDENCE_CHARS_MAX)
        return "..."

    def _global(self, value: Global) -> str:
        if value.dynamic or not _NAME.fullmatch(value.module) or not _NAME.fullmatch(value.name):
            return "imported_by_a_computed_name"
        self.modules.add(value.module)
        return value.path

    def _container(self, value: Container, depth: int) -> str:
        opening, closing = _BRACKETS.get(value.kind, ("{", "}"))
        if depth <= 0 or self.room <= 0:
            return "..."
        if value.kind == "dict":
            pairs = zip(value.items[::2], value.items[1::2], strict=False)
            parts = [f"{self._text(key, 1)}: {self._text(item, depth - 1)}" for key, item in pairs if self.room > 0]
        else:
            parts = [self._text(item, depth - 1) for item in value.items if self.room > 0]
            if value.count > len(value.items):
                parts.append("...")
        if not parts and value.kind in ("set", "frozenset"):
            return f"{value.kind}()"
        return opening + ", ".join(parts) + ("," if value.kind == "tuple" and len(parts) == 1 else "") + closing
