"""A payload in the low bits of weights, told by what no training, rounding or initialisation leaves there.

Trained float32 weights have low bits that look like chance, and so has an encrypted payload: **that case cannot be told
from the numbers alone, and is not claimed here.** What can be told, in windows of WEIGHTS_WINDOW elements:

1. **Text or a program.** The lowest bit, 2, 4 or 8 bits of each element, or its low 2 or 3 bytes, put together as tools
   do, begin like a known file or hold a long run of printable text of many different characters.
2. **A gap.** The lowest bits look like chance while the bits just above them are all zero. Rounding to a shorter type
   clears the lowest bits first, so zero bits stand below random ones, never above; and the low bits do not follow from
   the rest of the number, as they would with a table of a few levels.
3. **An order in the lowest one to three bits only.** A bit, read from element to element as bytes, is far from
   independent (chi-square against bytes drawn with its own share of ones), and the two bits above are not. A biased bit
   is honest (uniform initialisation within a power of two makes one); an order from element to element is not.

Thresholds are set so that chance reaches them less than once in 10^12 windows; they are tried on the initialisations,
types and files of ``tests/inspect/test_weights.py``.
"""

from __future__ import annotations

import re
from typing import Any

from watchword.inspect.tensors.numbers import FLOATS, numpy
from watchword.limits import WEIGHTS_WINDOW

_TEXT = re.compile(rb"[\t\n\r -~]{48,}")
_TEXT_DISTINCT = 14
_HEADS = (
    b"\x7fELF\x01\x01\x01", b"\x7fELF\x02\x01\x01", b"PK\x03\x04\x14\x00", b"\x89PNG\r\n\x1a\n", b"7z\xbc\xaf\x27\x1c",
    b"\xfd7zXZ\x00", b"Rar!\x1a\x07", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", b"\x80\x04\x95",
)  # fmt: skip
_CHI_CHANCE, _CHI_ORDER = 420.0, 1200.0
"""Chi-square of 8,192 bytes in 256 bins: mean 255, deviation 22.6. Above 420 chance comes less than once in 10^12."""


def payload(bits: Any, dtype: str) -> tuple[str, str] | None:
    """What the low bits of a window of unsigned integers hold, in words, and its beginning; None for nothing."""
    np = numpy()
    low = bits.astype("<u4") if bits.itemsize == 8 else bits  # the low half of a double
    if bits.itemsize == 8:
        low = (bits & np.uint64(0xFFFFFFFF)).astype("<u4")
    mantissa = min(FLOATS[dtype][1], 32)
    for words, stream, width in _streams(np, low, mantissa):
        told = _content(stream, width, low)
        if told is not None:
            return f"the {words} of its elements, put together, hold {told[0]}", told[1]
    if len(low) < WEIGHTS_WINDOW:
        return None
    planes = [(low >> plane) & 1 for plane in range(min(mantissa, 16))]
    shares = [float(plane.mean()) for plane in planes]
    gap = _gap(np, low, planes, shares, mantissa)
    if gap:
        return f"{_lowest(gap)} like chance while the bits above are all zero", ""
    orders = [_chi_square(np, plane, share) for plane, share in zip(planes[:5], shares[:5], strict=False)]
    for width in range(1, len(orders) - 1):
        below = zip(orders[:width], shares[:width], strict=True)
        above = zip(orders[width : width + 2], shares[width : width + 2], strict=True)
        if (
            max(orders[:width]) > _CHI_ORDER
            and all(order > _CHI_ORDER or not 0.45 < share < 0.55 for order, share in below)
            and all(order < _CHI_CHANCE and 0.45 < share < 0.55 for order, share in above)
        ):
            return f"{_lowest(width)} in an order, those above like chance (chi-square {max(orders[:width]):,.0f})", ""
    return None


def _lowest(count: int) -> str:
    return "the lowest bit looks" if count == 1 else f"the lowest {count} bits look"


def _streams(np: Any, low: Any, mantissa: int) -> list[tuple[str, bytes, int]]:
    """The low bits of the elements in the orders in which tools write them, and how many bits are one element's."""
    found = []
    one = low & 1
    for order in ("big", "little"):
        found.append(("lowest bit", np.packbits(one.astype("u1"), bitorder=order).tobytes(), 1))
    for width in (2, 4):
        if width <= mantissa:
            parts = (low & ((1 << width) - 1)).astype("u1")
            per = 8 // width
            parts = parts[: len(parts) // per * per].reshape(-1, per)
            shifts = np.arange(per, dtype="u1") * width
            found.append((f"low {width} bits", (parts << shifts[::-1]).sum(1, dtype="u1").tobytes(), width))
            found.append((f"low {width} bits", (parts << shifts).sum(1, dtype="u1").tobytes(), width))
    raw = np.ascontiguousarray(low).view("u1").reshape(-1, low.itemsize)
    for width in (1, 2, 3):
        if width * 8 <= mantissa + 1 and width < low.itemsize:
            named = "low byte" if width == 1 else f"low {width} bytes"
            found.append((named, raw[:, :width].tobytes(), 8))
            if width > 1:
                found.append((named, raw[:, width - 1 :: -1].tobytes(), 8))
    return found


def _content(stream: bytes, width: int, low: Any) -> tuple[str, str] | None:
    for head in _HEADS:
        if stream.startswith(head):
            return "a file", stream[:16].hex(" ")
    for match in _TEXT.finditer(stream):
        text = match[0][:400]
        # A few levels repeated print too; they have few different characters.
        if len(set(text)) >= _TEXT_DISTINCT and len({text[n : n + 4] for n in range(0, len(text), 4)}) * 5 > len(text):
            if width < 8 and _is_even(text, width):
                continue
            its = low[match.start() * len(low) // len(stream) :][: len(text) * len(low) // len(stream)]
            if len(set(its.tolist())) < min(0.6 * len(its), 200):
                continue  # a block of few levels
            return f"{len(match[0]):,} printable characters", text[:120].decode("ascii")
    return None


def _is_even(text: bytes, width: int) -> bool:
    """Whether the parts that characters are made of hold the same values in every place: then they are elements that
    happen to print, and no characters. The first bits of characters say hardly anything, their last ones much."""
    mask = (1 << width) - 1
    parts = [[(byte >> shift) & mask for byte in text] for shift in range(8 - width, -1, -width)]
    first = set(parts[0])
    later = [part for place in parts[1:] for part in place]
    return sum(part not in first for part in later) < 0.2 * len(later)


def _gap(np: Any, low: Any, planes: list[Any], shares: list[float], mantissa: int) -> int:
    """How many low bits look like chance below at least two that are all zero; 0 if it is not so."""
    width = 0
    while width < len(planes) - 2 and 0.4 < shares[width] < 0.6:
        width += 1
    if not width or width + 2 >= mantissa or any(shares[width : width + 2]):
        return 0
    if any(_chi_square(np, plane, share) > _CHI_CHANCE for plane, share in zip(planes[:width], shares, strict=False)):
        return 0
    rest = low >> width
    distinct, distinct_rest = len(np.unique(low)), len(np.unique(rest))
    return width if distinct_rest >= 64 and distinct * 2 >= distinct_rest * 3 else 0


def _chi_square(np: Any, plane: Any, share: float) -> float:
    """Of the plane read as bytes, against bytes of independent bits with this share of ones."""
    if not 0.02 < share < 0.98:
        return 0.0
    counts = np.bincount(np.packbits(plane.astype("u1")), minlength=256)
    ones = np.array([bin(n).count("1") for n in range(256)])
    expected = counts.sum() * share**ones * (1 - share) ** (8 - ones)
    # Bins that are hardly ever met are taken together, as the test asks.
    rare = expected < 5
    statistic = ((counts[~rare] - expected[~rare]) ** 2 / expected[~rare]).sum()
    if rare.any() and expected[rare].sum() > 0:
        statistic += (counts[rare].sum() - expected[rare].sum()) ** 2 / max(expected[rare].sum(), 5)
    return float(statistic)
