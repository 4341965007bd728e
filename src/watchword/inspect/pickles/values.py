"""The symbolic values of the pickle machine, the events it reports, and their readable form.

Plain constants are themselves (None, bool, int, float, short str and bytes). Everything else is one of the classes
below. They keep a bounded part of what they stand for: a value is never larger than the limits say, however the
stream nests, shares or repeats it. Identity matters and equality does not, as with the objects they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchword.inspect.facts import shown
from watchword.limits import EVIDENCE_CHARS_MAX, PICKLE_ITEMS_MAX

Value = Any
"""A constant or one of the classes of this module."""


class Global:
    """An import: what ``module.name`` resolves to. ``dynamic`` when module or name was computed, not written down."""

    __slots__ = ("dynamic", "module", "name")

    def __init__(self, module: str, name: str, dynamic: bool = False) -> None:
        self.module = module
        self.name = name
        self.dynamic = dynamic

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


class Container:
    """A list, tuple, set, frozenset or dict. ``items`` holds the first ones (dict: key, value, …); ``count`` all."""

    __slots__ = ("count", "depth", "items", "kind")

    def __init__(self, kind: str, items: tuple[Value, ...] = (), count: int = 0, depth: int = 1) -> None:
        self.kind = kind
        self.items = items
        self.count = count
        self.depth = depth


class Made:
    """The result of a call or a construction. ``how`` is the opcode; ``state`` what BUILD gave it last."""

    __slots__ = ("args", "callee", "depth", "how", "kwargs", "offset", "state")

    def __init__(self, callee: Value, args: Value, kwargs: Value, how: str, offset: int, depth: int) -> None:
        self.callee = callee
        self.args = args
        self.kwargs = kwargs
        self.how = how
        self.offset = offset
        self.depth = depth
        self.state: Value = None


class Blob:
    """A string (``kind`` str) or bytes too long to keep: ``head`` is its beginning, ``start`` its place in the source.

    ``start`` is None where the bytes stand nowhere in the source as such. ``latin1`` says that the bytes are the UTF-8
    text at ``start`` encoded as Latin-1 (how protocol 2 writes bytes).
    """

    __slots__ = ("head", "kind", "latin1", "size", "start")

    def __init__(self, kind: str, size: int, head: Value, start: int | None, latin1: bool = False) -> None:
        self.kind = kind
        self.size = size
        self.head = head
        self.start = start
        self.latin1 = latin1


class Opaque:
    """A value whose contents were not kept (a limit, or beyond static reading): only its kind is known."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Persistent:
    """What ``persistent_load`` would give for this id."""

    __slots__ = ("pid",)

    def __init__(self, pid: Value) -> None:
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Import:
    """Event: loading would import ``target`` (and so run its module's top level)."""

    target: Global
    offset: int


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Event: loading would call ``callee``; NEWOBJ and NEWOBJ_EX call only its ``__new__``."""

    callee: Value
    args: Value
    kwargs: Value
    how: str
    offset: int


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """Event: loading would give ``target`` a state (``__setstate__``, or its attributes set) or items.

    ``how`` is BUILD, or what gives items: APPENDS (``extend``, ``append``), SETITEMS (``__setitem__``) or ADDITEMS
    (``update``, ``add``). Items are an event only where the target is no plain container.
    """

    target: Value
    state: Value
    offset: int
    how: str = "BUILD"


Event = Import | Call | Write


def arguments(value: Value) -> tuple[Value, ...]:
    """The (first) positional arguments that a REDUCE argument tuple stands for."""
    return value.items if isinstance(value, Container) and value.kind in ("tuple", "list") else ()


def readable(value: Value, length: int = EVIDENCE_CHARS_MAX, depth: int = 6) -> str:
    """*value* as Python-like source on one line: ``posix.system('id')``. Bounded in length and in work."""
    parts: list[str] = []
    _write(value, parts, [length * 2], depth)
    return shown("".join(parts), length)


def readable_call(callee: Value, args: Value, kwargs: Value = None, how: str = "REDUCE") -> str:
    """A call as source; ``object.__new__(C, …)`` is written as ``C.__new__(…)``."""
    return readable(Made(callee, args, kwargs, how, 0, 0))


def _write(value: Value, out: list[str], room: list[int], depth: int) -> None:
    if room[0] <= 0 or depth <= 0:
        text = "…"
    elif isinstance(value, Global):
        text = value.path if not value.dynamic else f"<computed {value.path}>"
    elif isinstance(value, Container):
        return _write_container(value, out, room, depth)
    elif isinstance(value, Made):
        return _write_made(value, out, room, depth)
    elif isinstance(value, Blob):
        text = f"<{value.kind}, {value.size:,} long: {value.head[:24]!r}…>"
    elif isinstance(value, Opaque):
        text = f"<{value.kind}>"
    elif isinstance(value, Persistent):
        text = "<persistent object>"
    else:
        text = repr(value)
    room[0] -= len(text)
    out.append(text)
    return None


_BRACKETS = {"tuple": ("(", ")"), "list": ("[", "]")}


def _write_container(value: Container, out: list[str], room: list[int], depth: int) -> None:
    opening, closing = _BRACKETS.get(value.kind, ("{", "}"))
    room[0] -= 2  # empty containers cost work too: without this, sharing would make the work exponential
    out.append(opening)
    _write_items(value.items, out, room, depth, pairs=value.kind == "dict")
    if value.count > len(value.items):
        out.append(", …")
    elif value.kind == "tuple" and value.count == 1:
        out.append(",")
    out.append(closing)


def _write_made(value: Made, out: list[str], room: list[int], depth: int) -> None:
    room[0] -= 2
    _write(value.callee, out, room, depth - 1)
    out.append(".__new__(" if value.how in ("NEWOBJ", "NEWOBJ_EX") else "(")
    args = value.args
    if isinstance(args, Container):
        _write_items(args.items, out, room, depth - 1)
        if args.count > len(args.items):
            out.append(", …")
    else:
        out.append("*")
        _write(args, out, room, depth - 1)
    if isinstance(value.kwargs, Container) and value.kwargs.count:
        out.append(", **")
        _write(value.kwargs, out, room, depth - 1)
    out.append(")")


def _write_items(items: tuple[Value, ...], out: list[str], room: list[int], depth: int, pairs: bool = False) -> None:
    for index, item in enumerate(items[:PICKLE_ITEMS_MAX]):
        if index:
            out.append(": " if pairs and index % 2 else ", ")
        if room[0] <= 0:
            out.append("…")
            return
        _write(item, out, room, depth - 1)
