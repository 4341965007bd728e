"""The machine against CPython's own unpicklers: whatever they import or call stands in our trace, in the same order.

The oracles get a ``find_class`` that records and hands out harmless stand-ins, so nothing real is imported or called.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import FramedReader, Reader
from watchword.inspect.pickles.values import Call, Event, Global, Import
from watchword.inspect.source import Held

Seen = list[tuple[str, str, str]]


def _stand_in(seen: Seen, module: str, attribute: str) -> type:
    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        seen.append(("call", module, attribute))
        return object.__new__(cls)

    def ignore(self: Any, *args: Any) -> None:
        return None

    body = dict.fromkeys(("__init__", "__setstate__", "append", "extend", "add", "__setitem__"), ignore)
    return type("StandIn", (), {"__new__": new, **body})


def oracle(base: type, data: bytes) -> Seen:
    """What *base* (the C or the Python unpickler) imports and calls until it stops or fails."""
    seen: Seen = []
    known: dict[tuple[str, str], type] = {}

    class Recording(base):  # type: ignore[misc]
        def find_class(self, module: str, attribute: str) -> Any:
            seen.append(("import", module, attribute))
            return known.setdefault((module, attribute), _stand_in(seen, module, attribute))

        def persistent_load(self, pid: Any) -> Any:
            return None

    with contextlib.suppress(Exception):  # whatever it fails with, what it did before is the answer
        Recording(io.BytesIO(data)).load()
    return seen


def trace(data: bytes, framed: bool = False) -> Seen:
    """The same, from our machine. Calls of computed things are left out: stand-ins have no computed names."""
    events: list[Event] = []
    run(Machine(events.append), (FramedReader if framed else Reader)(Held(data)))
    seen: Seen = []
    for event in events:
        if isinstance(event, Import):
            seen.append(("import", event.target.module, event.target.name))
        elif isinstance(event, Call) and isinstance(event.callee, Global):
            seen.append(("call", event.callee.module, event.callee.name))
    return seen


def is_subsequence(few: Seen, many: Seen) -> bool:
    rest = iter(many)
    return all(item in rest for item in few)


def check(data: bytes) -> None:
    machine = Machine(lambda event: None)
    run(machine, Reader(Held(data)))
    # The C unpickler allocates a table up to the largest memo index; ours does not, but the test would wait for it.
    huge = max(machine.sparse, default=0) > 100_000
    for base in (pickle._Unpickler,) if huge else (pickle.Unpickler, pickle._Unpickler):
        told = oracle(base, data)
        # Where frames cut through opcodes, the judge runs both readings; nowhere else may they be needed.
        cut = machine.crossed is not None
        seen = is_subsequence(told, trace(data)) or (cut and is_subsequence(told, trace(data, framed=True)))
        assert seen, (base, data, told, trace(data), trace(data, framed=True))


PUSHES = st.one_of(
    st.sampled_from(
        [
            b"N",
            b"\x88",
            b"\x89",
            b")",
            b"]",
            b"}",
            b"\x8f",
            b"K\x05",
            b"I7\n",
            b"L7L\n",
            b"F1.5\n",
            b"M\x01\x02",
            b"J\x01\0\0\0",
            b"\x8a\x01\x07",
            b"G" + struct.pack(">d", 1.0),
            b"S'a b'\n",
            b"Vx\n",
            b"U\x01q",
            b"T\x01\0\0\0q",
            b"X\x01\0\0\0m",
            b"\x8c\x01n",
            b"\x8d\x01" + b"\0" * 7 + b"o",
            b"C\x01z",
            b"B\x01\0\0\0y",
            b"\x8e\x01" + b"\0" * 7 + b"w",
            b"\x96\x01" + b"\0" * 7 + b"w",
            b"Ppid\n",
        ]
    ),
    st.sampled_from([b"cmod\nname\n", b"cos\nsystem\n", b"ca.b\nC.d\n"]),
)
ACTIONS = st.sampled_from(
    [
        b"(",
        b"0",
        b"1",
        b"2",
        b"R",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"l",
        b"d",
        b"a",
        b"e",
        b"s",
        b"u",
        b"b",
        b"o",
        b"imod\ncls\n",
        b"\x81",
        b"\x92",
        b"\x93",
        b"\x94",
        b"\x90",
        b"\x91",
        b"Q",
        b"q\0",
        b"q\1",
        b"h\0",
        b"h\1",
        b"p0\n",
        b"g0\n",
        b"r\2\0\0\0",
        b"j\2\0\0\0",
        b"\x82\x05",
        b"\x95" + b"\x03" + b"\0" * 7,
        b"\x98",
        b".",
    ]
)
PROGRAMS = st.tuples(
    st.sampled_from([b"", b"\x80\x00", b"\x80\x02", b"\x80\x04", b"\x80\x05"]),
    st.lists(st.one_of(PUSHES, PUSHES, ACTIONS, ACTIONS), max_size=30).map(b"".join),
).map(lambda parts: parts[0] + parts[1] + b".")


@given(PROGRAMS)
@settings(max_examples=600, deadline=None)
def test_every_import_and_call_of_cpython_is_in_our_trace(data: bytes) -> None:
    """For random programs of all opcodes, both CPython unpicklers do nothing that the machine does not report."""
    check(data)


@given(PROGRAMS, st.integers(0, 200), st.binary(max_size=3))
@settings(max_examples=300, deadline=None)
def test_damaged_programs_too(data: bytes, at: int, patch: bytes) -> None:
    """The same for programs with bytes overwritten: what runs before the damage is reported."""
    at = min(at, len(data))
    check(data[:at] + patch + data[at + len(patch) :])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=20,
)


@given(VALUES, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_plain_values_run_to_their_stop_and_agree(value: Any, protocol: int) -> None:
    """Every pickle that CPython writes is followed to its last byte, with exactly its imports and calls."""
    data = pickle.dumps(value, protocol)
    outcome = run(Machine(lambda event: None), Reader(Held(data)))
    assert (outcome.how, outcome.end) == ("stop", len(data))
    assert oracle(pickle._Unpickler, data) == trace(data)


@pytest.mark.parametrize("protocol", range(6))
def test_constants_come_out_as_cpython_reads_them(protocol: int) -> None:
    """Names may be spelled by any string opcode: the machine reads each as CPython does."""
    samples = [
        "",
        "a",
        "\u00e9\u20ac",
        "a\\b'\"\n\t\0",
        "\U0001f600",
        -1,
        255,
        2**31,
        -(2**40),
        2**100,
        1.5,
        b"ab\xff",
        True,
    ]
    for sample in samples:
        machine = Machine(lambda event: None)
        run(machine, Reader(Held(pickle.dumps(sample, protocol))))
        assert machine.result == sample, sample
