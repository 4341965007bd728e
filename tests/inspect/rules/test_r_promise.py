"""Rule r-promise: looking at data of R runs no expression."""

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


def promise(value: bytes) -> bytes:
    return word(5 | 0x400) + word(253) + value + call(b"quit")


def rds(item: bytes) -> bytes:
    return b"X\n" + word(3) + word(0x40300) + word(0x30500) + word(5) + b"UTF-8" + item


def test_a_promise_that_waits_is_dangerous() -> None:
    """An expression without a value runs as soon as somebody looks (CVE-2024-27322)."""
    told = {(finding.rule, finding.verdict) for finding in look(rds(promise(word(252))), "m.rds").findings}
    assert ("r-promise", Verdict.DANGEROUS) in told


def test_a_promise_that_has_its_value_is_silent() -> None:
    """What was evaluated before it was saved is not evaluated again."""
    assert found(rds(promise(word(14) + word(1) + struct.pack(">d", 1.0))), "m.rds") == set()
