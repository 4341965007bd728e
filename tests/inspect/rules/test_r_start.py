"""Rule r-start: no function of a workspace runs by itself."""

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


def workspace(name: bytes, value: bytes) -> bytes:
    return b"RDX3\n" + rds(word(2 | 0x400) + symbol(name) + value + word(254))


def test_a_function_that_a_session_starts_with_is_dangerous() -> None:
    """R calls ``.First`` when a session with the workspace starts."""
    told = {
        (finding.rule, finding.verdict)
        for finding in look(workspace(b".First", function(call(b"quit"))), "m.RData").findings
    }
    assert ("r-start", Verdict.DANGEROUS) in told


def test_the_same_function_under_another_name_is_silent() -> None:
    """A function that R does not call by itself waits for its user."""
    assert found(workspace(b"first", function(call(b"quit"))), "m.RData") == set()
