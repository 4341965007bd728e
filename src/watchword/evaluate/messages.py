"""Messages between us and a subject's process: a line of JSON and arrays of numbers. Nothing is ever unpickled.

    8 bytes length || JSON || the arrays' bytes, little-endian, in the order of ``arrays`` in the JSON

* A length past SUBJECT_MESSAGE_BYTES_MAX, a type or a shape that does not fit is refused before it is allocated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.limits import SUBJECT_MESSAGE_BYTES_MAX

if TYPE_CHECKING:
    import numpy

TYPES = ("float32", "float64", "int64", "uint8")


class BadMessage(WatchwordError):
    """The other side sent what is no message."""


def encode(value: dict[str, Any], arrays: tuple[numpy.ndarray[Any, Any], ...] = ()) -> bytes:
    """One message."""
    import numpy

    listed = [{"dtype": str(one.dtype), "shape": list(one.shape)} for one in arrays]
    text = json.dumps(value | {"arrays": listed}).encode()
    body = b"".join(numpy.ascontiguousarray(one).tobytes() for one in arrays)
    return len(text).to_bytes(8, "big") + text + body


def decode(read: Callable[[int], bytes]) -> tuple[dict[str, Any], tuple[numpy.ndarray[Any, Any], ...]]:
    """Read one message with *read*, which returns exactly so many bytes.

    Raises:
        BadMessage: malformed or too large. EOFError: as *read*.
    """
    import numpy

    length = int.from_bytes(read(8), "big")
    if length > SUBJECT_MESSAGE_BYTES_MAX:
        raise BadMessage(f"a message of {length:,} bytes")
    try:
        value = json.loads(read(length))
        listed = value.pop("arrays")
        shapes = [(str(one["dtype"]), tuple(int(size) for size in one["shape"])) for one in listed]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadMessage(f"not a message: {type(error).__name__}") from error
    arrays, left = [], SUBJECT_MESSAGE_BYTES_MAX
    for dtype, shape in shapes:
        if dtype not in TYPES or len(shape) > 8 or min(shape, default=0) < 0:
            raise BadMessage(f"an array of {dtype[:20]} {shape}")
        size = math.prod(shape) * numpy.dtype(dtype).itemsize
        left -= size
        if left < 0:
            raise BadMessage("arrays that are too large")
        arrays.append(numpy.frombuffer(read(size), dtype).reshape(shape))
    return value, tuple(arrays)
