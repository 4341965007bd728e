"""Anomalies of weights that need no data: not a number, dead, copied, a payload in the low bits.

One pass over every tensor in pieces of WEIGHTS_WINDOW elements; memory does not grow with the model.

* ``weights-nan``: NaN in floats, or an infinity that is no mask (a mask holds minus infinity and zeros). A note in
  numpy's files, which hold data as often as weights.
* ``weights-dead``: most matrices are one constant. One or a few are a note: adapters and gates begin at zero.
* ``weights-duplicated``: layers that differ in their number alone hold the same weights. Where *all* of a name
  do, they are fresh copies of one layer, as some frameworks initialise: a note.
* ``weights-low-bits``: see ``low_bits``.
* What is tied (two names for the same bytes) is one tensor.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import shown
from watchword.inspect.hashing import Step
from watchword.inspect.tensors.listing import Tensor, tensors_of
from watchword.inspect.tensors.low_bits import payload
from watchword.inspect.tensors.numbers import FLOATS, numpy, pieces
from watchword.limits import WEIGHTS_MATRIX_ELEMENTS_MIN, WEIGHTS_WINDOW

_NUMBER = re.compile(r"\d+")
_DEAD_SHARE = 2 / 3
_DEAD_MIN = 4


@dataclass(slots=True)
class _Seen:
    """What the pass over the tensors has come to."""

    is_data: bool = False
    matrices: int = 0
    constant: list[Tensor] = field(default_factory=list)
    by_digest: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))
    layers: dict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    places: set[tuple[int | None, int]] = field(default_factory=set)
    offsets: dict[str, int | None] = field(default_factory=dict)


def examine(exhibit: Exhibit, step: Step) -> None:
    """Look at the weights in *exhibit* and report what is odd; a note where there are none to look at.

    Raises:
        NoNumbers: numpy is not installed.
    """
    numpy()
    tensors = tensors_of(exhibit.source)
    if tensors is None:
        return
    # Arrays of numpy are data as often as weights, and data honestly holds NaN where nothing was measured.
    seen, done = _Seen(is_data=all(one.is_array for one in tensors)), 0
    for tensor in tensors:
        place = (tensor.offset, tensor.data.size)
        if tensor.offset is None or place not in seen.places:
            seen.places.add(place)
            _tensor(exhibit, tensor, seen)
        done += tensor.data.size
        step.at(f"{exhibit.path} (weights)", done)
    _across(exhibit, seen)
    exhibit.note(f"weights of {len(seen.places):,} tensors were read")


def _tensor(exhibit: Exhibit, tensor: Tensor, seen: _Seen) -> None:
    floats = FLOATS.get(tensor.dtype)
    digest = hashlib.sha256()
    first: Any = None
    nan = infinite = 0
    constant, mask, told = True, True, False
    for start, bits in pieces(tensor, WEIGHTS_WINDOW):
        digest.update(bits)
        if first is None:
            first = bits[0]
        constant = constant and bool((bits == first).all())
        if floats is None:
            continue
        ones = bits.dtype.type(((1 << floats[0]) - 1) << floats[1])
        special = (bits & ones) == ones
        if special.any():
            fraction = bits.dtype.type((1 << floats[1]) - 1)
            nan += int((special & ((bits & fraction) != 0)).sum())
            infinite += int((special & ((bits & fraction) == 0)).sum())
        minus = bits.dtype.type(((1 << (floats[0] + 1)) - 1) << floats[1])
        mask = mask and bool(((bits == minus) | (bits == 0)).all())
        if not told and not constant:
            found = payload(bits, tensor.dtype)
            if found is not None:
                told = True
                at = None if tensor.offset is None else tensor.offset + start * bits.itemsize
                words = f"{_shown(tensor)}: {found[0]}"
                if seen.is_data and tensor.dtype == "F64":
                    exhibit.note(words)  # tables of doubles are measured or computed in columns, seldom learnt
                else:
                    exhibit.odd("weights-low-bits", at, words, found[1])
    if nan or (infinite and not mask):
        what = " and ".join(
            f"{count:,} {word}" for count, word in ((nan, "not a number"), (infinite, "infinite")) if count
        )
        words = f"{_shown(tensor)}: of {tensor.elements:,} elements, {what}"
        if seen.is_data:
            exhibit.note(words)
        else:
            exhibit.odd("weights-nan", tensor.offset, words)
    if first is not None and len(tensor.shape) >= 2 and tensor.elements >= WEIGHTS_MATRIX_ELEMENTS_MIN and floats:
        seen.matrices += 1
        if constant:
            seen.constant.append(tensor)
        else:
            seen.by_digest[digest.digest()].append(tensor.name)
            seen.layers[_NUMBER.sub("*", tensor.name)][tensor.name] = digest.digest()
            seen.offsets[tensor.name] = tensor.offset


def _across(exhibit: Exhibit, seen: _Seen) -> None:
    """What shows only when all tensors have been seen."""
    if seen.constant:
        some = ", ".join(_shown(one) for one in seen.constant[:3])
        words = f"{len(seen.constant):,} of {seen.matrices:,} matrices are one constant: {some}"
        if len(seen.constant) >= _DEAD_MIN and len(seen.constant) > seen.matrices * _DEAD_SHARE:
            exhibit.odd("weights-dead", seen.constant[0].offset, words)
        else:
            exhibit.note(words)
    for names in seen.by_digest.values():
        if len(names) < 2:
            continue
        listed = ", ".join(shown(name, 80) for name in names[:3]) + (" …" if len(names) > 3 else "")
        words = f"{len(names):,} tensors hold the same numbers: {listed}"
        family = seen.layers[_NUMBER.sub("*", names[0])]
        siblings = [name for name in names if name in family]
        if len(siblings) >= 2 and len(set(family.values())) > 1:
            exhibit.odd("weights-duplicated", seen.offsets[names[1]], words)
        else:
            exhibit.note(words)


def _shown(tensor: Tensor) -> str:
    return shown(tensor.name or "the array", 80)
