"""A pickle assembler: opcodes by hand, since no pickler writes what an attacker writes.

A piece of program that leaves one value on the stack is ``Code``; everything else is data and is pushed as such.
"""

from __future__ import annotations

import struct
from typing import Any


class Code(bytes):
    """Opcodes that push one value."""


def push(value: Any) -> Code:
    """Opcodes that push *value*: code as it stands, plain data otherwise."""
    if isinstance(value, Code):
        return value
    if value is None:
        return Code(b"N")
    if isinstance(value, bool):
        return Code(b"\x88" if value else b"\x89")
    if isinstance(value, int):
        return Code(b"I%d\n" % value)
    if isinstance(value, float):
        return Code(b"G" + struct.pack(">d", value))
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return Code(b"X" + struct.pack("<I", len(data)) + data)
    if isinstance(value, bytes):
        return Code(b"B" + struct.pack("<I", len(value)) + value)
    if isinstance(value, tuple):
        return Code(b"(" + b"".join(map(push, value)) + b"t")
    if isinstance(value, list):
        return Code(b"(" + b"".join(map(push, value)) + b"l")
    if isinstance(value, dict):
        pairs = b"".join(push(key) + push(item) for key, item in value.items())
        return Code(b"(" + pairs + b"d")
    raise TypeError(f"no opcodes for {type(value).__name__}")


def name(module: str, attribute: str) -> Code:
    """GLOBAL: no dots are followed below protocol 4."""
    return Code(f"c{module}\n{attribute}\n".encode())


def dotted(module: Any, attribute: Any) -> Code:
    """STACK_GLOBAL: the two may be computed, and dots are followed."""
    return Code(push(module) + push(attribute) + b"\x93")


def call(callee: Code, *values: Any) -> Code:
    """REDUCE."""
    return Code(callee + push(tuple(values)) + b"R")


def attribute(owner: Code, which: str) -> Code:
    return call(name("builtins", "getattr"), owner, which)


def module(which: str) -> Code:
    """The module itself, by importing it."""
    return call(name("importlib", "import_module"), which)


def build(value: Code, state: Any) -> Code:
    return Code(value + push(state) + b"b")


def first_of(*values: Any) -> Code:
    """All are computed, the first is kept."""
    return Code(push(values[0]) + b"".join(push(value) + b"0" for value in values[1:]))


def program(code: bytes, protocol: int = 4) -> bytes:
    """A whole pickle. Protocol 0 has no mark."""
    head = bytes([0x80, protocol]) if protocol >= 2 else b""
    return head + code + b"."
