"""The numbers of a tensor, read in pieces: bits and values, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.tensors.listing import BYTES, Tensor
from watchword.limits import WEIGHTS_CHUNK_ELEMENTS

FLOATS = {"F16": (5, 10), "BF16": (8, 7), "F32": (8, 23), "F64": (11, 52)}
"""Bits of exponent and of mantissa."""


class NoNumbers(WatchwordError):
    """numpy is not installed: tensors are listed, their numbers are not read."""


def numpy() -> Any:
    """The module.

    Raises:
        NoNumbers: it is not installed.
    """
    try:
        import numpy as np
    except ImportError as error:
        hint = "pip install 'watchword[weights]'; without it everything but the weights is inspected"
        raise NoNumbers("reading weights needs numpy, which is not installed here", hint) from error
    return np


def pieces(tensor: Tensor, elements: int = WEIGHTS_CHUNK_ELEMENTS) -> Iterator[tuple[int, Any]]:
    """The elements as unsigned integers, *elements* at a time: the index of the first, and the array (little-endian).

    Nothing for a type whose elements have no size of 1, 2, 4 or 8 bytes; what is cut off in the file is left out.
    """
    np = numpy()
    size = BYTES.get(tensor.dtype, 0)
    if size not in (1, 2, 4, 8):
        return
    count = min(tensor.elements, tensor.data.size // size)
    for first in range(0, count, elements):
        data = tensor.data.read_at(first * size, min(elements, count - first) * size)
        yield first, np.frombuffer(data[: len(data) // size * size], dtype=f"<u{size}")


def values(bits: Any, dtype: str) -> Any:
    """*bits* as numbers (float64 for F64, float32 for other floats, as they are for integers)."""
    np = numpy()
    if dtype == "BF16":
        return (bits.astype("<u4") << 16).view("<f4")
    if dtype in FLOATS:
        return bits.view(f"<f{bits.itemsize}").astype("<f8" if dtype == "F64" else "<f4")
    if dtype.startswith("I"):
        return bits.view(f"<i{bits.itemsize}")
    return bits if dtype.startswith(("U", "BOOL")) else np.empty(0, dtype="<f4")
