"""Parsers under bytes that nobody meant: a search guided by coverage for seconds, and the largest inputs they take."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from watchword.errors import WatchwordError
from watchword.ledger import demand, notes, tiles, witness
from watchword.limits import DEMAND_BYTES_MAX, NOTE_BYTES_MAX, WITNESS_REQUEST_BYTES_MAX

ROOT = Path(__file__).resolve().parents[2]


def test_the_search_finds_nothing_in_some_seconds() -> None:
    """Notes, keys, requests, tiles, paths, bundles, envelopes, HTTP answers; longer by command: see the module."""
    command = [sys.executable, "-m", "benchmarks.ledger.fuzz", "4", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout


def test_the_search_has_teeth() -> None:
    """A parser that raises anything else, or does not re-encode, is told, shortened."""
    code = (
        "from benchmarks.ledger import fuzz\n"
        "def bad(data):\n"
        "    if b'+' in data: raise KeyError('x')\n"
        "fuzz.PARSERS = dict.fromkeys(fuzz.PARSERS, bad)\n"
        "fuzz.searching.kept = lambda name: {}\n"  # what was kept is tried first, and told as it was kept
        "raise SystemExit(fuzz.searching.search(fuzz.searched(), 30, 1))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stdout.endswith(": KeyError: 'x'\nb'+'\n")


def largest(unit: bytes, bytes_max: int, before: bytes = b"") -> bytes:
    return before + unit * ((bytes_max - len(before)) // len(unit))


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (notes.parse_note, largest(b"\n\n", NOTE_BYTES_MAX)),
        (notes.parse_note, largest(b"a\n", NOTE_BYTES_MAX)),
        (notes.parse_note, largest("— a b\n".encode(), NOTE_BYTES_MAX, b"x\n\n")),
        (notes.parse_note, largest(b"\xe2\x80\x94 ", NOTE_BYTES_MAX, b"x\n\n")),
        (witness.parse_request, largest(b"\n", WITNESS_REQUEST_BYTES_MAX, b"old 0")),
        (witness.parse_request, largest(b"A", WITNESS_REQUEST_BYTES_MAX, b"old 0\n")),
        (witness.parse_request, largest(b"9", WITNESS_REQUEST_BYTES_MAX, b"old ")),
        (lambda data: tiles.decode_bundle(data, 256), largest(b"\0\0", tiles.BUNDLE_BYTES_MAX)),
        (lambda data: tiles.parse_path(data.decode()), largest(b"x000/", 1_000_000, b"tile/0/")),
        (lambda data: demand.parse_demand(None, "x", data, 0), largest(b"[", DEMAND_BYTES_MAX)),
        (lambda data: demand.parse_demand(None, "x", data, 0), largest(b'{"a":', DEMAND_BYTES_MAX)),
        (lambda data: demand.parse_demand(None, "x", data, 0), largest(b'"\\', DEMAND_BYTES_MAX)),
    ],
)
def test_the_largest_inputs_take_linear_time(parse: Callable[[bytes], object], data: bytes) -> None:
    """An answer at the very limit costs well under a second of CPU: work growing with the square would take minutes."""
    begun = time.process_time()
    with suppress(WatchwordError):
        parse(data)
    assert time.process_time() - begun < 0.5
