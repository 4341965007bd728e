"""Rule r-broken: data of R is followed to its end."""

from __future__ import annotations

import struct

from inspect_samples import found, look

from watchword.inspect.facts import Verdict


def word(value: int) -> bytes:
    return struct.pack(">i", value)


def rds(item: bytes) -> bytes:
    return b"X\n" + word(3) + word(0x40300) + word(0x30500) + word(5) + b"UTF-8" + item


NUMBERS = word(14) + word(2) + struct.pack(">2d", 1.0, 2.0)


def test_data_that_breaks_off_is_unreadable() -> None:
    """One byte short is enough: what was meant to stand there was not seen."""
    told = {(finding.rule, finding.verdict) for finding in look(rds(NUMBERS)[:-1], "m.rds").findings}
    assert ("r-broken", Verdict.UNREADABLE) in told


def test_numbers_are_silent() -> None:
    """A vector that is all there is nothing odd."""
    assert found(rds(NUMBERS), "m.rds") == set()
