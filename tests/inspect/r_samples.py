"""Writers of data of R, item by item (R Internals, "Serialization Formats"): each gives the bytes of one."""

from __future__ import annotations

import struct


def word(value: int) -> bytes:
    return struct.pack(">i", value)


NIL, UNBOUND, GLOBAL = word(254), word(252), word(253)


def char(text: bytes) -> bytes:
    return word(9 | 1 << 18) + word(len(text)) + text


def symbol(name: bytes) -> bytes:
    return word(1) + char(name)


def texts(*values: bytes) -> bytes:
    return word(16) + word(len(values)) + b"".join(map(char, values))


def reals(*values: float) -> bytes:
    return word(14) + word(len(values)) + struct.pack(f">{len(values)}d", *values)


def call(name: bytes, *given: bytes) -> bytes:
    tail = NIL
    for value in reversed(given):
        tail = word(2) + value + tail
    return word(6) + symbol(name) + tail


def promise(expression: bytes, value: bytes = UNBOUND) -> bytes:
    return word(5 | 0x400) + GLOBAL + value + expression


def listed(*items: bytes) -> bytes:
    return word(19) + word(len(items)) + b"".join(items)


def environment(name: bytes, value: bytes) -> bytes:
    frame = word(2 | 0x400) + symbol(name) + value + NIL
    return word(4) + word(0) + GLOBAL + frame + NIL + NIL


def function(body: bytes) -> bytes:
    return word(3 | 0x400) + GLOBAL + NIL + body


def rds(item: bytes) -> bytes:
    return b"X\n" + word(3) + word(0x40300) + word(0x30500) + word(5) + b"UTF-8" + item


def workspace(name: bytes, value: bytes) -> bytes:
    return b"RDX3\n" + rds(word(2 | 0x400) + symbol(name) + value + NIL)
