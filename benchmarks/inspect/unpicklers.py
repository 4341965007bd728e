"""CPython's own unpicklers as an oracle for the machine: whatever they import, call or write must stand in its trace.

The oracles get a ``find_class`` that records and hands out harmless stand-ins, so nothing real is imported or called.
Asked are the C unpickler, as it reads from a plain stream and from one that can be peeked into, and the Python one.
Not asked: ``pickle.loads`` of bytes, out-of-band buffers.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import FramedReader, Reader
from watchword.inspect.pickles.values import Call, Event, Global, Import, Made, Write
from watchword.inspect.source import Held

Seen = list[tuple[str, str, str]]
"""What was done, in order: import, call or write, and to which module and attribute."""

EXTENSION = (5, "mod", "name")
"""A code that is registered with ``copyreg`` while an oracle runs, as an application may have done."""


class Disagreement(AssertionError):
    """An oracle did what the machine does not report."""


@contextlib.contextmanager
def extension() -> Iterator[None]:
    code, module, attribute = EXTENSION
    copyreg.add_extension(module, attribute, code)
    try:
        yield
    finally:
        copyreg.remove_extension(module, attribute, code)


def _stand_in(seen: Seen, module: str, attribute: str) -> type:
    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        seen.append(("call", module, attribute))
        return object.__new__(cls)

    def write(self: Any, *args: Any) -> None:
        seen.append(("write", module, attribute))

    def ignore(self: Any, *args: Any, **kwargs: Any) -> None:
        return None

    methods = ("__setstate__", "append", "extend", "add", "__setitem__")
    return type("StandIn", (), {"__new__": new, "__init__": ignore, **dict.fromkeys(methods, write)})


def _recording(base: type, seen: Seen) -> type:
    known: dict[tuple[str, str], type] = {}

    class Recording(base):  # type: ignore[misc]
        def find_class(self, module: str, attribute: str) -> Any:
            seen.append(("import", module, attribute))
            return known.setdefault((module, attribute), _stand_in(seen, module, attribute))

        def persistent_load(self, pid: Any) -> Any:
            return None

    return Recording


class _Peeked(io.BufferedReader):
    """A stream with ``peek``, into which the C unpickler reads ahead."""


READINGS: dict[str, Callable[[Seen, bytes], Any]] = {
    "C, stream": lambda seen, data: _recording(pickle.Unpickler, seen)(io.BytesIO(data)).load(),
    "C, peek": lambda seen, data: _recording(pickle.Unpickler, seen)(_Peeked(io.BytesIO(data))).load(),
    "Python": lambda seen, data: _recording(pickle._Unpickler, seen)(io.BytesIO(data)).load(),
}


def oracle(reading: str, data: bytes) -> Seen:
    """What one of the ``READINGS`` imports, calls and writes until it stops or fails."""
    seen: Seen = []
    with extension(), contextlib.suppress(Exception):  # whatever it fails with, what it did before is the answer
        READINGS[reading](seen, data)
    return seen


def trace(data: bytes, framed: bool = False) -> Seen:
    """The same, from the machine. What is done to computed things is left out: stand-ins have no computed names."""
    events: list[Event] = []
    run(Machine(events.append), (FramedReader if framed else Reader)(Held(data)))
    seen: Seen = []
    for event in events:
        if isinstance(event, Import):
            seen.append(("import", *_name(event.target)))
        elif isinstance(event, Call):
            # A stand-in that is called gives itself, so a call of what a call gave is told under the same name.
            called = event.callee
            while isinstance(called, Made):
                called = called.callee
            if isinstance(called, Global):
                seen.append(("call", *_name(called)))
        elif isinstance(event, Write):
            changed = event.target.callee if isinstance(event.target, Made) else event.target
            if isinstance(changed, Global):
                seen.append(("write", *_name(changed)))
    return seen


def _name(target: Global) -> tuple[str, str]:
    code, module, attribute = EXTENSION
    return (module, attribute) if target.path == f"copyreg.extension {code}" else (target.module, target.name)


def is_subsequence(few: Seen, many: Seen) -> bool:
    rest = iter(many)
    return all(item in rest for item in few)


def _in_one(seen: Seen) -> Seen:
    """Writes to one thing that follow each other count once: ADDITEMS gives items one by one, the machine tells all."""
    return [item for at, item in enumerate(seen) if item[0] != "write" or not at or seen[at - 1] != item]


def check(data: bytes) -> None:
    """Compare the machine with every oracle.

    Raises:
        Disagreement: with the program and both traces.
    """
    machine = Machine(lambda event: None)
    run(machine, Reader(Held(data)))
    # The C unpickler allocates a table up to the largest memo index; ours does not, but we would wait for it.
    huge = max(machine.sparse, default=0) > 100_000
    for reading in ("Python",) if huge else READINGS:
        told = _in_one(oracle(reading, data))
        # Where frames cut through opcodes, the judge runs both readings; nowhere else may they be needed.
        cut = machine.crossed is not None
        if not is_subsequence(told, trace(data)) and not (cut and is_subsequence(told, trace(data, framed=True))):
            raise Disagreement(f"{reading}: {data!r} does {told}; the machine says {trace(data)}, cut: {cut}")
