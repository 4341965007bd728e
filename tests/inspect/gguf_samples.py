"""Writers of GGUF files: keys, tensors, and the file that lays them out."""

from __future__ import annotations

import struct


def text(value: str, order: str = "<", version: int = 3) -> bytes:
    data = value.encode()
    return struct.pack(order + ("I" if version == 1 else "Q"), len(data)) + data


def key(name: str, value: str | int, order: str = "<", version: int = 3) -> bytes:
    head = text(name, order, version)
    if isinstance(value, int):
        return head + struct.pack(order + "II", 4, value)
    return head + struct.pack(order + "I", 8) + text(value, order, version)


def tensor(name: str, shape: tuple[int, ...], offset: int, sort: int = 0) -> bytes:
    shaped = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + shaped + struct.pack("<IQ", sort, offset)


def gguf(keys: list[bytes], tensors: list[bytes], data: bytes = b"", version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys) + b"".join(tensors)
    return head + b"\0" * (-len(head) % 32 if tensors else 0) + data


NAME = key("general.architecture", "llama")
W = tensor("w", (8,), 0)
