"""Makes ``cases.json``: signatures on which Ed25519 libraries disagree, with the verdict of suite 1 (section 2).

Run from the repository's root: ``python vectors/ed25519/make.py``. Deterministic; curve arithmetic from ``verify.py``.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import verify as v


def encode(point: Any, sign: int | None = None, add: int = 0) -> bytes:
    inverse = pow(point[2], -1, v.P)
    x, y = point[0] * inverse % v.P, point[1] * inverse % v.P
    return (y + add | (x & 1 if sign is None else sign) << 255).to_bytes(32, "little")


def times(n: int, point: Any) -> Any:
    total = (0, 1, 1, 0)
    for bit in f"{n:b}":
        total = v.point_add(total, total)
        total = v.point_add(total, point) if bit == "1" else total
    return total


def h_of(r: bytes, a: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % v.L


def torsion() -> list[Any]:
    """The eight points of order dividing 8, as multiples of one of order 8."""
    for y in range(2, 200):
        try:
            point = times(v.L, v.decode_point(y.to_bytes(32, "little")))
        except v.Refused:
            continue
        if len({encode(times(i, point)) for i in range(8)}) == 8:
            return [times(i, point) for i in range(8)]
    raise SystemExit("no point of order 8 found")


def signed(a: Any, secret: int, a_bytes: bytes, r_extra: Any, s_known: int, wanted: int) -> dict[str, str]:
    """A signature over the first message for which h mod 8 is *wanted*: R = s·B + extra, S = s + h·secret."""
    r = encode(v.point_add(times(s_known, v.BASE), r_extra))
    for counter in range(1000):
        message = b"case %d" % counter
        h = h_of(r, a_bytes, message)
        if h % 8 == wanted:
            s = (s_known + h * secret) % v.L
            return {
                "public": a_bytes.hex(),
                "message": message.hex(),
                "signature": (r + s.to_bytes(32, "little")).hex(),
            }
    raise SystemExit("no message found")


def cases() -> list[dict[str, Any]]:
    small, secret, s = torsion(), 0x5EED, 0xC0FFEE
    whole = times(secret, v.BASE)
    key = encode(whole)
    made: list[dict[str, Any]] = [
        {"why": "an ordinary signature", "good": True} | signed(whole, secret, key, small[0], s, 1)
    ]
    for i, point in enumerate(small):
        # S·B = R + h·A holds exactly, without the cofactor: h·A is the identity for h = 0 mod 8.
        case = signed(point, 0, encode(point), small[0], s, 0)
        made.append({"why": f"A has small order ({i} times a point of order 8)", "good": False} | case)
    mixed = v.point_add(whole, small[1])
    both = signed(mixed, secret, encode(mixed), small[0], s, 0)
    made.append(
        {"why": "A has a part of small order, and the equation holds without the cofactor", "good": True} | both
    )
    only = signed(mixed, secret, encode(mixed), small[0], s, 1)
    made.append(
        {"why": "A has a part of small order, and the equation holds only with the cofactor", "good": False} | only
    )
    extra = signed(whole, secret, key, small[1], s, 1)
    made.append(
        {"why": "R has a part of small order: the equation holds only with the cofactor", "good": False} | extra
    )
    for i, point in enumerate(small):
        # R alone of small order: S = h·secret, R = a point of the torsion.
        r = encode(point)
        h = h_of(r, key, b"R")
        signature = r + (h * secret % v.L).to_bytes(32, "little")
        row = {"public": key.hex(), "message": b"R".hex(), "signature": signature.hex()}
        made.append({"why": f"R has small order ({i} times a point of order 8)", "good": False} | row)
    good = bytes.fromhex(made[0]["signature"])
    for n, why in ((v.L, "S is not below the group order"), (7 * v.L, "S is seven group orders too large")):
        raised = good[:32] + (int.from_bytes(good[32:], "little") + n).to_bytes(32, "little")
        made.append(
            {"why": why, "good": False} | {k: made[0][k] for k in ("public", "message")} | {"signature": raised.hex()}
        )
    for y in (0, 1):
        case = signed(small[0], 0, (v.P + y).to_bytes(32, "little"), small[0], s, 0)
        made.append({"why": f"A is not canonically encoded (y is p + {y})", "good": False} | case)
    case = signed(small[0], 0, encode(small[0], 1), small[0], s, 0)
    made.append({"why": "A is a negative zero", "good": False} | case)
    return made


if __name__ == "__main__":
    text = json.dumps({"cases": cases()}, indent=1) + "\n"
    (Path(__file__).parent / "cases.json").write_text(text, "utf-8")
