"""Rule r-command: functions that are saved with data of R compute."""

from __future__ import annotations

import struct

from inspect_samples import found, look

from watchword.inspect.facts import Verdict


def word(value: int) -> bytes:
    return struct.pack(">i", value)


def symbol(name: bytes) -> bytes:
    return word(1) + word(9 | 1 << 18) + word(len(name)) + name


def call(name: bytes) -> bytes:
    return word(6) + symbol(name) + word(254)


def function(body: bytes) -> bytes:
    return word(3 | 0x400) + word(253) + word(254) + body


def rds(item: bytes) -> bytes:
    return b"X\n" + word(3) + word(0x40300) + word(0x30500) + word(5) + b"UTF-8" + item


def test_a_function_that_runs_commands_is_told() -> None:
    """A saved function that names ``system`` is told before anybody calls it."""
    told = {(finding.rule, finding.verdict) for finding in look(rds(function(call(b"system"))), "m.rds").findings}
    assert ("r-command", Verdict.SUSPICIOUS) in told


def test_a_function_that_computes_is_silent() -> None:
    """Models of R bring functions along."""
    assert found(rds(function(call(b"exp"))), "m.rds") == set()
