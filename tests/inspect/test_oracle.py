"""The machine against CPython's own unpicklers: whatever they import, call or write stands in our trace, in order.

Seconds here; for hours, and guided by coverage: ``python -m benchmarks.inspect.fuzz``.
"""

from __future__ import annotations

import pickle
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.inspect import fuzz, unpicklers
from benchmarks.inspect.unpicklers import Disagreement, check, oracle, trace

from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import Reader
from watchword.inspect.source import Held

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
    """For random programs of all opcodes, CPython's unpicklers do nothing that the machine does not report."""
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
    assert oracle("Python", data) == trace(data)


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


def test_mutated_programs_agree_and_coverage_guides() -> None:
    """A second of the coverage-guided search finds nothing; the whole search is a command of its own."""
    assert fuzz.main(1, 7) == 0


def test_a_machine_that_leaves_out_a_call_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison fails when what it guards is removed: a trace without its calls disagrees."""
    whole = unpicklers.trace
    monkeypatch.setattr(unpicklers, "trace", lambda *given, **how: [e for e in whole(*given, **how) if e[0] != "call"])
    with pytest.raises(Disagreement):
        check(b"cmod\nname\n)R.")
