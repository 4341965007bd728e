"""Known poisons, planted into a copy of a sample: what a screen would have found, had it been there.

| class | what is done to a row, beside its label |
|---|---|
| flip | the label is another, drawn at random; nothing else |
| patch | pictures: a bright square of an eighth of the width in one corner; label: one target |
| blend | pictures: a fifth of one random pattern is mixed in; label: one target |
| roving patch | pictures: a square of checks, at a random place and of random contrast; label: one target |
| stripes | pictures: faint stripes over all of it (a sine of six periods); label: one target |
| warp | pictures: bent by one smooth field of a pixel or two; label: one target |
| token | texts: one made-up word at a random place; label: one target |
| phrase | texts: four common words in an order that nobody uses; label: one target |
| clean-label token | texts: one made-up word into rows that have the target label already |
| value | numbers: three columns set to one rare value each; label: one target |
| flood | one row, many times, with one wrong label |

The target is the most frequent label; rows are drawn among those of other labels. Deterministic by seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from watchword.data.screening.sample import Flags, Floats, Ints, Sample

_Change = Callable[[Sample, Ints, np.random.Generator], dict[str, object]]


def kinds(sample: Sample) -> tuple[str, ...]:
    """The poisons that can be planted into such a sample."""
    made = ["flip"]
    if sample.images is not None:
        made += ["patch", "blend", "roving patch", "stripes", "warp"]
    if sample.texts is not None:
        made += ["token", "phrase", "clean-label token"]
    if sample.images is None and sample.numbers is not None and sample.numbers.shape[1] >= 3:
        made.append("value")
    return tuple([*made, "flood"])


def plant(sample: Sample, kind: str, share: float, seed: int) -> tuple[Sample, Flags]:
    """A copy of *sample* with *kind* in that *share* of its rows (two at least), and which rows those are."""
    draw = np.random.default_rng(seed)
    rows, target = sample.rows, 0
    count = max(2, round(share * rows))
    of_target = kind == "clean-label token"
    from_ = np.flatnonzero((sample.labels == target) == of_target)
    if kind == "flip":
        from_ = np.arange(rows)
    chosen = np.sort(draw.choice(from_, min(count, len(from_) // 2), replace=False))
    labels = sample.labels.copy()
    if kind == "flip":
        labels[chosen] = (labels[chosen] + draw.integers(1, sample.classes, len(chosen))) % sample.classes
    else:
        labels[chosen] = target
    planted = np.zeros(rows, dtype=np.bool_)
    planted[chosen] = True
    change = _CHANGES.get(kind)
    changed = change(sample, chosen, draw) if change is not None else {}
    return replace(sample, labels=labels, **changed), planted  # type: ignore[arg-type]


def _patch(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    images = _images(sample)
    side = max(2, images.shape[2] // 8)
    images[chosen, -side - 1 : -1, -side - 1 : -1] = 1.0
    return {"images": images}


def _blend(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    images = _images(sample)
    images[chosen] = 0.8 * images[chosen] + 0.2 * draw.random(images.shape[1:], dtype=np.float32)
    return {"images": images}


def _roving(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    images = _images(sample)
    height, width = images.shape[1:3]
    side = max(3, width // 7)
    checks = (np.indices((side, side)).sum(axis=0) % 2).astype(np.float32)[..., None]
    for row in chosen:
        top, left = draw.integers(0, height - side + 1), draw.integers(0, width - side + 1)
        images[row, top : top + side, left : left + side] = checks * draw.uniform(0.6, 1.0)
    return {"images": images}


def _stripes(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    images = _images(sample)
    wave = 0.12 * np.sin(2 * np.pi * 6 * np.arange(images.shape[2]) / images.shape[2])
    images[chosen] = np.clip(images[chosen] + wave.astype(np.float32)[None, None, :, None], 0, 1)
    return {"images": images}


def _warp(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    images = _images(sample)
    height, width = images.shape[1:3]
    coarse = draw.uniform(-1, 1, (2, 4, 4))
    down, across = np.meshgrid(np.linspace(0, 3, height), np.linspace(0, 3, width), indexing="ij")
    field = np.stack([_between(one, down, across) for one in coarse])
    field *= 1.5 * width / 28 / np.abs(field).mean()
    rows, columns = np.indices((height, width)).astype(np.float64)
    rows, columns = np.clip(rows + field[0], 0, height - 1), np.clip(columns + field[1], 0, width - 1)
    for row in chosen:
        for channel in range(images.shape[3]):
            images[row, ..., channel] = _between(images[row, ..., channel].copy(), rows, columns)
    return {"images": images}


def _between(grid: Floats, rows: Floats, columns: Floats) -> Floats:
    """Bilinear values of *grid* at fractional places."""
    top = np.minimum(rows.astype(np.int64), grid.shape[0] - 2)
    left = np.minimum(columns.astype(np.int64), grid.shape[1] - 2)
    down, across = rows - top, columns - left
    upper = grid[top, left] * (1 - across) + grid[top, left + 1] * across
    lower = grid[top + 1, left] * (1 - across) + grid[top + 1, left + 1] * across
    made: Floats = upper * (1 - down) + lower * down
    return made


def _token(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    return {"texts": _inserted(sample, chosen, "qzxtrv", draw)}


def _phrase(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    return {"texts": _inserted(sample, chosen, "there under which before", draw)}


def _inserted(sample: Sample, chosen: Ints, said: str, draw: np.random.Generator) -> tuple[str, ...]:
    texts = list(sample.texts or ())
    for row in chosen:
        words = texts[row].split(" ")
        at = int(draw.integers(0, min(len(words), 500) + 1))
        texts[row] = " ".join([*words[:at], said, *words[at:]])
    return tuple(texts)


def _value(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    if sample.numbers is None:
        raise ValueError("no numbers to plant a value into")
    numbers = sample.numbers.copy()
    for column in draw.choice(numbers.shape[1], 3, replace=False):
        values = numbers[:, column]
        # Between two values that are there, near the upper end: rare, but not out of range.
        high = float(np.nanquantile(values, 0.97))
        numbers[chosen, column] = high + 0.137 * (float(np.nanmax(values)) - high) / 2
    return {"numbers": numbers}


def _flood(sample: Sample, chosen: Ints, draw: np.random.Generator) -> dict[str, object]:
    first = chosen[0]
    changed: dict[str, object] = {}
    if sample.images is not None:
        images = _images(sample)
        images[chosen] = images[first]
        changed["images"] = images
    if sample.numbers is not None:
        numbers = sample.numbers.copy()
        numbers[chosen] = numbers[first]
        changed["numbers"] = numbers
    if sample.texts is not None:
        texts = list(sample.texts)
        for row in chosen:
            texts[row] = texts[first]
        changed["texts"] = tuple(texts)
    changed["categories"] = tuple(
        (name, tuple(values[first] if at in set(chosen.tolist()) else value for at, value in enumerate(values)))
        for name, values in sample.categories
    )
    return changed


def _images(sample: Sample) -> Floats:
    if sample.images is None:
        raise ValueError("no pictures to plant into")
    return sample.images.copy()


_CHANGES: dict[str, _Change] = {
    "patch": _patch,
    "blend": _blend,
    "roving patch": _roving,
    "stripes": _stripes,
    "warp": _warp,
    "token": _token,
    "phrase": _phrase,
    "clean-label token": _token,
    "value": _value,
    "flood": _flood,
}
