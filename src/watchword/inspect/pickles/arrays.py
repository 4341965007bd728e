"""How many raw bytes joblib reads for one array: shape times item size, told from the wrapper's symbolic state.

Follows joblib ``numpy_pickle.NumpyArrayWrapper.read_array`` and numpy's ``dtype.__reduce__``/``__setstate__``.
A size that cannot be told exactly is :class:`UnknownSize`: guessing would let a stream hide opcodes in "array bytes".
"""

from __future__ import annotations

import re

from watchword.inspect.pickles.values import Container, Global, Made, Value, arguments

_KIND = re.compile(r"[<>=|]?([?bBhHiIlLqQuefdgFDGScaUVOMm])(\d*)(?:\[.*\])?")
_FIXED = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "e": 2, "q": 8, "Q": 8, "M": 8, "m": 8}


class UnknownSize(Exception):
    """The item size, the shape or the alignment cannot be told."""


def class_path(value: Value) -> str:
    """``module.name`` of the class of a made object, also through ``copyreg._reconstructor``; else an empty text."""
    if not isinstance(value, Made) or not isinstance(value.callee, Global):
        return ""
    if value.callee.name == "_reconstructor":
        first = arguments(value.args)[:1]
        return first[0].path if first and isinstance(first[0], Global) else ""
    return value.callee.path


def is_array_wrapper(value: Made) -> bool:
    """True for joblib's (>= 0.10) wrapper, under the names it has been pickled with."""
    path = class_path(value)
    return path.endswith("numpy_pickle.NumpyArrayWrapper") and "joblib" in path.split(".")


def wraps_objects(wrapper: Made) -> bool:
    """True when the array holds Python objects, which joblib reads with a plain unpickler."""
    dtype = _state(wrapper).get("dtype")
    return dtype is not None and _has_objects(dtype, 0)


def array_bytes(wrapper: Made) -> tuple[bool, int]:
    """Whether a padding-length byte comes first, and how many array bytes follow it.

    Raises:
        UnknownSize: see the module.
    """
    state = _state(wrapper)
    shape = state.get("shape")
    if not isinstance(shape, Container) or shape.count != len(shape.items):
        raise UnknownSize("no shape")
    count = 1
    for size in shape.items:
        if type(size) is not int or not 0 <= size < 2**63:
            raise UnknownSize("a dimension that is not a number")
        count *= size
    if count >= 2**63:
        raise UnknownSize("the shape overflows")
    if "dtype" not in state:
        raise UnknownSize("no dtype")
    # Absent before joblib 1.3: then no padding is written at all.
    return state.get("numpy_array_alignment_bytes") is not None, count * item_size(state["dtype"])


def item_size(dtype: Value) -> int:
    """Bytes of one item of a symbolic ``numpy.dtype(...)``.

    Raises:
        UnknownSize: not a dtype, or of a kind whose size its pickle does not tell.
    """
    if not isinstance(dtype, Made) or class_path(dtype) != "numpy.dtype":
        raise UnknownSize("the dtype is not a plain numpy.dtype")
    given = arguments(dtype.args)
    if not given or not isinstance(given[0], str):
        raise UnknownSize("the dtype has no name")
    state = arguments(dtype.state)
    # __setstate__ overrides the size only of void, string and unicode types (numpy descriptor.c).
    match = _KIND.fullmatch(given[0])
    if match is None:
        raise UnknownSize(f"dtype {given[0][:40]!r}")
    kind, digits = match[1], match[2]
    if kind in "SaUV":
        size = (4 if kind == "U" else 1) * int(digits[:12] or 0)
        stated = state[5] if len(state) > 5 else -1
        if type(stated) is int and stated > 0 and stated != size:
            if not kind == "V" and size:
                raise UnknownSize("the dtype states two sizes")
            size = stated
        return size
    if not digits:
        raise UnknownSize(f"dtype {given[0][:40]!r} without a size")
    if kind in "Mm" and int(digits[:4]) != _FIXED[kind]:
        raise UnknownSize(f"dtype {given[0][:40]!r}")
    return int(digits[:4])


def _state(wrapper: Made) -> dict[str, Value]:
    state = wrapper.state
    if isinstance(state, Container) and state.kind == "tuple" and state.items:
        state = state.items[0]
    if not isinstance(state, Container) or state.kind != "dict" or state.count != len(state.items):
        return {}
    pairs = zip(state.items[::2], state.items[1::2], strict=False)
    return {key: value for key, value in pairs if isinstance(key, str)}


def _has_objects(dtype: Value, depth: int) -> bool:
    if depth > 8 or not isinstance(dtype, Made):
        return False
    given = arguments(dtype.args)
    if given and isinstance(given[0], str) and given[0].lstrip("<>=|")[:1] == "O":
        return True
    state = arguments(dtype.state)
    # The eighth item of the state holds the flags; 0x01 is NPY_ITEM_REFCOUNT, objects inside a structure.
    return len(state) > 7 and type(state[7]) is int and bool(state[7] & 0x01)
