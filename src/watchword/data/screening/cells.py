"""Cells: what rows may share without being alike. A word, a pixel's level, a patch anywhere, a value, a tail, an
origin.

* Texts: words, pairs and triples. Images: a pixel's level of LEVELS; a window of 3 × 3 at its place, on 4 levels; a
  window
  anywhere, by which of its pixels stand out from its own mean (so that place, brightness and contrast do not count);
  the
  energy of frequency bands, highest and lowest rows. Numbers: a value that several rows have, and each column's tails.
  Categories, sources and annotators: each value.
* A cell that fewer than LEAST rows share has no power, one that MOST of the rows share says nothing; both are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchword.data.screening.sample import Floats, Ints, Sample
from watchword.data.screening.space import Words

LEAST = 6
MOST = 0.4
LEVELS = 16
_PAIRS_MAX = 40_000_000
_BINS = 6


@dataclass
class Cells:
    """Which rows are in which cell: ``rows`` of cell *c* are ``rows[bounds[c]:bounds[c + 1]]``.

    ``kinds`` and ``said`` tell what a cell is; ``place`` is (top, left, height, width) where it has one in a picture.
    """

    rows: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    bounds: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    _told: list[tuple[int, str, Callable[[int], str], Ints]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of cells."""
        return len(self.bounds) - 1

    @property
    def cell_of(self) -> Ints:
        """The cell of each entry of ``rows``."""
        return np.repeat(np.arange(self.count), np.diff(self.bounds))

    def members(self, cell: int) -> Ints:
        """The rows in a cell."""
        return self.rows[self.bounds[cell] : self.bounds[cell + 1]]

    def tell(self, cell: int) -> tuple[str, str]:
        """(kind, what it is) of a cell."""
        first, kind, said, ids = next(one for one in reversed(self._told) if one[0] <= cell)
        return kind, said(int(ids[cell - first]))

    def add(self, kind: str, ids: NDArray[np.int64], rows: Ints, total: int, said: Callable[[int], str]) -> None:
        """Add the cells of one kind from (id, row) pairs in any order; a row is in a cell once."""
        if not len(ids):
            return
        order = np.lexsort((rows, ids))
        ids, rows = ids[order], rows[order]
        fresh = np.concatenate([[True], (ids[1:] != ids[:-1]) | (rows[1:] != rows[:-1])])
        ids, rows = ids[fresh], rows[fresh]
        start = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
        size = np.diff(np.concatenate([start, [len(ids)]]))
        good = (size >= LEAST) & (size <= MOST * total)
        if not good.any():
            return
        self._told.append((self.count, kind, said, ids[start[good]]))
        self.rows = np.concatenate([self.rows, rows[np.repeat(good, size)]])
        self.bounds = np.concatenate([self.bounds, self.bounds[-1] + np.cumsum(size[good])])


def cells_of(sample: Sample, words: Words | None) -> Cells:
    """Every cell of a sample."""
    cells = Cells()
    if words is not None:
        cells.add("words", words.words, words.rows, sample.rows, words.name)
    if sample.images is not None:
        _of_images(cells, sample.images)
    if sample.numbers is not None:
        _of_numbers(cells, sample.numbers, sample.columns)
    named = [("category", name, values) for name, values in sample.categories]
    named += [("source", "source", sample.sources)] if sample.sources else []
    named += [("annotator", "annotator", sample.annotators)] if sample.annotators else []
    for kind, name, values in named:
        told, ids = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)
        cells.add(kind, ids.astype(np.int64), np.arange(sample.rows), sample.rows, _naming(name, told))
    return cells


def _naming(name: str, told: NDArray[np.str_]) -> Callable[[int], str]:
    return lambda one: f"{name}={told[one]}"


def _of_numbers(cells: Cells, numbers: Floats, columns: tuple[str, ...]) -> None:
    rows, wide = numbers.shape
    if rows * wide > _PAIRS_MAX:
        wide = _PAIRS_MAX // rows
    for at in range(wide):
        values = numbers[:, at]
        there = np.flatnonzero(~np.isnan(values))
        if len(there) < LEAST:
            continue
        known, ids = np.unique(values[there], return_inverse=True)
        cells.add("value", ids.astype(np.int64), there, rows, _valued(columns[at], known))
        for share in (0.02, 0.05):
            low, high = np.quantile(values[there], [share, 1 - share])
            for kind, members in (("<=", there[values[there] <= low]), (">=", there[values[there] >= high])):
                bound = float(low if kind == "<=" else high)
                said = f"{columns[at]} {kind} {bound:.6g}"
                cells.add("tail", np.zeros(len(members), dtype=np.int64), members, rows, _always(said))


def _valued(name: str, known: Floats) -> Callable[[int], str]:
    return lambda one: f"{name} = {float(known[one]):.6g}"


def _always(said: str) -> Callable[[int], str]:
    return lambda _: said


def _of_images(cells: Cells, images: Floats) -> None:
    grey = images.mean(axis=3)
    rows, height, width = grey.shape
    step = 1
    while rows * (-(-height // step)) * (-(-width // step)) > _PAIRS_MAX // 4:
        step += 1
    grey = grey[:, ::step, ::step]
    rows, height, width = grey.shape

    def place(at: int) -> str:
        return f"row {at // width * step}, column {at % width * step}"

    levels = np.minimum((grey * LEVELS).astype(np.int64), LEVELS - 1).reshape(rows, -1)
    ids = (np.arange(height * width) * LEVELS)[None, :] + levels
    every = np.repeat(np.arange(rows), height * width)
    cells.add(
        "pixel", ids.ravel(), every, rows, lambda one: f"level {one % LEVELS} of {LEVELS} at {place(one // LEVELS)}"
    )
    if height < 3 or width < 3:
        return
    windows = np.lib.stride_tricks.sliding_window_view(grey, (3, 3), axis=(1, 2)).reshape(rows, -1, 9)
    spots = windows.shape[1]
    across = width - 2
    coarse = np.minimum((windows * 4).astype(np.int64), 3) @ (4 ** np.arange(9))
    lively = (windows.max(axis=2) - windows.min(axis=2)) > 0.15
    ids = np.arange(spots)[None, :] * 4**9 + coarse

    def window(one: int) -> str:
        at = one // 4**9
        return f"a window of 3 × 3 at row {at // across * step}, column {at % across * step}"

    every = np.broadcast_to(np.arange(rows)[:, None], ids.shape)
    cells.add("patch", ids[lively], every[lively], rows, window)
    spread = windows.std(axis=2)
    strong = spread > 0.12
    relative = (windows[strong] - windows[strong].mean(axis=1, keepdims=True)) / spread[strong][:, None]
    shape = ((relative > 0.5).astype(np.int64) + 2 * (relative < -0.5)) @ (3 ** np.arange(9))
    cells.add(
        "patch anywhere", shape, every[strong], rows, lambda one: f"a pattern of 3 × 3 anywhere ({_pattern(one)})"
    )
    for at, (name, energy) in enumerate(bands(grey)):
        for share in (0.01, 0.03, 0.05, 0.1):
            for sign in (1, -1):
                bound = np.quantile(sign * energy, 1 - share)
                members = np.flatnonzero(sign * energy >= bound)
                said = f"{'most' if sign > 0 else 'least'} {name}"
                cells.add("band", np.full(len(members), at), members, rows, _always(said))


def _pattern(code: int) -> str:
    marks = ".#-"
    text = "".join(marks[code // 3**at % 3] for at in range(9))
    return "/".join(text[at : at + 3] for at in (0, 3, 6))


def bands(grey: Floats) -> list[tuple[str, Floats]]:
    """Log energy of frequency bands of pictures, by distance and direction, and how rough and how bright they are."""
    rows, height, width = grey.shape
    power = np.empty((rows, height, width // 2 + 1), dtype=np.float32)
    for first in range(0, rows, 4096):
        part = grey[first : first + 4096]
        power[first : first + 4096] = np.abs(np.fft.rfft2(part - part.mean(axis=(1, 2), keepdims=True))) ** 2
    down = np.abs(np.fft.fftfreq(height))[:, None]
    across = np.fft.rfftfreq(width)[None, :]
    radius = np.sqrt(down**2 + across**2)
    flat = np.broadcast_to(across > down, radius.shape)
    made: list[tuple[str, Floats]] = []
    for at in range(_BINS):
        ring = (radius > 0.5 * at / _BINS) & (radius <= 0.5 * (at + 1) / _BINS)
        for way, mask in (("across", ring & flat), ("down", ring & ~flat)):
            if mask.any():
                energy = np.log(power[:, mask].sum(axis=1) + 1e-6)
                made.append((f"energy in band {at + 1} of {_BINS} {way}", energy))
    whole = np.log(power.sum(axis=(1, 2)) + 1e-6)
    made += [(f"share of {name}", energy - whole) for name, energy in list(made)]
    made.append(
        ("roughness", np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2)))
    )
    made.append(("brightness", grey.mean(axis=(1, 2))))
    return made
