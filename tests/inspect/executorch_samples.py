"""A writer of ExecuTorch programs."""

from __future__ import annotations

import struct


def executorch(operator: str, data: bytes, after: bytes = b"") -> bytes:
    """A program of one plan with one operator and one segment, written from program.fbs by hand."""

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode() + b"\0" * (4 - len(value) % 4)

    # Each table: its vtable first (sizes, then one offset for each slot), then the table with an offset back to it.
    out = bytearray(64)

    def table(slots: dict[int, bytes], count: int) -> int:
        vtable = len(out)
        offsets, body = [0] * count, b""
        for slot, value in slots.items():
            offsets[slot] = 4 + len(body)
            body += value
        out.extend(struct.pack(f"<HH{count}H", 4 + 2 * count, 4 + len(body), *offsets))
        out.extend(b"\0" * (-len(out) % 4))
        at = len(out)
        out.extend(struct.pack("<i", at - vtable) + body)
        return at

    def to(at: int, place: int) -> None:
        struct.pack_into("<I", out, place, at - place)

    root = table({1: b"\0" * 4, 4: b"\0" * 4}, 5)
    struct.pack_into("<I4s4sIQQ", out, 0, root, b"ET12", b"eh00", 24, 0, 0)
    to(len(out), root + 4)
    out.extend(struct.pack("<II", 1, 0))
    entry = len(out) - 4
    plan = table({6: b"\0" * 4}, 8)
    to(plan, entry)
    to(len(out), plan + 4)
    out.extend(struct.pack("<II", 1, 0))
    entry = len(out) - 4
    kernel = table({0: b"\0" * 4}, 2)
    to(kernel, entry)
    to(len(out), kernel + 4)
    out.extend(text(operator))
    to(len(out), root + 8)
    out.extend(struct.pack("<II", 1, 0))
    entry = len(out) - 4
    to(table({0: struct.pack("<Q", 0), 1: struct.pack("<Q", len(data))}, 2), entry)
    out.extend(b"\0" * (-len(out) % 16))
    struct.pack_into("<QQ", out, 16, len(out), len(out))
    return bytes(out) + data + after
