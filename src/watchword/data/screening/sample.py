"""The rows of one delivery as numbers: what a screen looks at. Reads through the strict readers of ``watchword.data``.

* A column is an *image* (an NPZ array of two or three axes a row), an *embedding* (one axis a row), *numbers* (every
  value a number, or empty, which counts as missing), *text* (strings of on average three words or more), else a
  *category*. Columns of one value, and those whose every value is different text without spaces, say nothing.
* A label that is missing, NaN or empty is a label of its own, told as ``(none)``. Rows keep their places: row *n* of a
  report is index *n* - 1 here.
* Bounded: SCREEN_VALUES_MAX values in all. What is over is refused, not thinned out in silence.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.data.delivery import Delivery, Progress, Roles, Row, missing_column
from watchword.data.manifest import open_rows
from watchword.data.row import DataError
from watchword.limits import SCREEN_CLASSES_MAX, SCREEN_ROWS_MIN, SCREEN_VALUES_MAX

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NO_LABEL = "(none)"
_EMPTY = ("", "nan", "NaN", "NA", "null", "None")


class NotScreened(DataError):
    """Data about which no screen could say anything; the message says why."""


@dataclass(frozen=True)
class Sample:
    """A delivery as numbers; every member has one entry a row, or is None.

    Attributes:
        labels: class index a row; ``names`` the classes, most frequent first.
        numbers: (rows, columns) float32, missing values as NaN; ``columns`` names them.
        images: (rows, height, width, channels) float32 between 0 and 1.
        texts: one string a row. categories: (column, value a row).
        sources, annotators, keys: one a row.
        trusted: rows that somebody answers for.
    """

    labels: Ints
    names: tuple[str, ...]
    numbers: Floats | None = None
    columns: tuple[str, ...] = ()
    images: Floats | None = None
    texts: tuple[str, ...] | None = None
    categories: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sources: tuple[str, ...] | None = None
    annotators: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    trusted: Flags | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """The number of labels."""
        return len(self.names)


def read_sample(path: Path, roles: Roles, *, trusted: str | None = None, progress: Progress | None = None) -> Sample:
    """The rows of a CSV, JSON lines, Parquet, Arrow or NPZ file.

    Args:
        roles: which columns are key, label, source, annotator; a label is needed.
        trusted: the column whose value 1 (or true, yes) says that somebody answers for the row.

    Raises:
        NotScreened: too few rows, one class, nothing but keys, more values than the limit.
        DataError: the file cannot be read to its end; nothing was used.
    """
    if roles.label is None:
        raise NotScreened(f"{path}: which column is the label?", "name it with --label")
    taken: list[tuple[Any, Any, str | None, str | None, str | None]] = []
    left = SCREEN_VALUES_MAX
    with Delivery(path, progress) as delivery:
        _, rows, _ = open_rows(delivery, roles)
        for row in rows:
            features = json.loads(row.features)
            left -= _values_in(features)
            if left < 0:
                raise NotScreened(
                    f"{path}: has over {SCREEN_VALUES_MAX:,} values", "screen a part, or embeddings of it"
                )
            taken.append((features, _label(row), row.key, row.source, row.annotator))
        if taken and all(one[1] == NO_LABEL for one in taken):
            missing_column(delivery, "label", roles.label, list(taken[0][0]))
        delivery.finish()
    if len(taken) < SCREEN_ROWS_MIN:
        raise NotScreened(f"{path}: has {len(taken):,} rows, a screen needs {SCREEN_ROWS_MIN}", "read them instead")
    return _sample(path, roles, taken, trusted)


def classes_of(labels: Iterable[str]) -> tuple[Ints, tuple[str, ...]]:
    """Class index a row, and the classes by frequency (then by name)."""
    values = list(labels)
    names = [name for name, _ in sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))]
    index = {name: at for at, name in enumerate(names)}
    return np.array([index[value] for value in values], dtype=np.int64), tuple(names)


def _sample(path: Path, roles: Roles, taken: list[Any], trusted: str | None) -> Sample:
    labels, names = classes_of(one[1] for one in taken)
    if len(names) < 2:
        raise NotScreened(f"{path}: every row has the label {names[0]!r}", "a screen compares labels; there is one")
    if len(names) > min(SCREEN_CLASSES_MAX, len(taken) // 2):
        what = f"has {len(names):,} different labels on {len(taken):,} rows"
        raise NotScreened(
            f"{path}: {what}", f"a screen needs two rows a label, and {SCREEN_CLASSES_MAX:,} labels at most"
        )
    found: dict[str, list[Any]] = {}
    for at, one in enumerate(taken):
        for name, value in one[0].items():
            found.setdefault(name, [None] * len(taken))[at] = value
    vouched = None
    if trusted is not None:
        if trusted not in found:
            raise NotScreened(f"{path}: has no column {trusted!r} for the trusted rows", "name one of its columns")
        yes = ("1", "true", "yes", "True", "1.0")
        vouched = np.array([str(value) in yes for value in found.pop(trusted)], dtype=np.bool_)
    if roles.key is not None:
        found.pop(roles.key, None)
    parts = _parts(found, len(taken))
    if not parts:
        raise NotScreened(f"{path}: no column holds anything to compare", "columns with one value say nothing")
    columns = [None if taken[0][place] is None else tuple(str(one[place]) for one in taken) for place in (2, 3, 4)]
    return Sample(labels, names, keys=columns[0], sources=columns[1], annotators=columns[2], trusted=vouched, **parts)


def _parts(found: dict[str, list[Any]], rows: int) -> dict[str, Any]:
    numbers: list[tuple[str, Floats]] = []
    texts: list[list[str]] = []
    categories: list[tuple[str, tuple[str, ...]]] = []
    parts: dict[str, Any] = {}
    for name, values in found.items():
        if all(isinstance(value, dict) and "data" in value and "shape" in value for value in values):
            array = _arrays(values)
            if array is not None and array.ndim >= 3 and "images" not in parts:
                parts["images"] = _scaled(array)
            elif array is not None:
                flat = array.reshape(rows, -1)
                numbers += [(f"{name}[{at}]", flat[:, at]) for at in range(flat.shape[1])]
            continue
        numeric = _numeric(values)
        if numeric is not None:
            if np.nanmin(numeric, initial=np.inf) < np.nanmax(numeric, initial=-np.inf):
                numbers.append((name, numeric))
            continue
        strings = ["" if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
        if sum(text.count(" ") for text in strings) >= 2 * rows:
            texts.append(strings)
        elif 1 < len(set(strings)) < rows * 0.9:
            categories.append((name, tuple(strings)))
    if numbers:
        parts["numbers"] = np.stack([column for _, column in numbers], axis=1).astype(np.float32)
        parts["columns"] = tuple(name for name, _ in numbers)
    if texts:
        parts["texts"] = tuple("\n".join(row) for row in zip(*texts, strict=True))
    if categories:
        parts["categories"] = tuple(categories)
    return parts


def _numeric(values: list[Any]) -> Floats | None:
    made = np.full(len(values), np.nan, dtype=np.float64)
    for at, value in enumerate(values):
        if value is None or (isinstance(value, str) and value.strip() in _EMPTY):
            continue
        if isinstance(value, (dict, list)):
            return None
        try:
            made[at] = float(value)
        except ValueError:
            return None
    made[~np.isfinite(made)] = np.nan
    return np.clip(made, -1e30, 1e30).astype(np.float32)


def _arrays(values: list[Any]) -> NDArray[Any] | None:
    first = values[0]
    if any(value["shape"] != first["shape"] for value in values):
        return None
    kind, shape = np.dtype(first["type"]), tuple(first["shape"])
    data = b"".join(base64.b64decode(value["data"]) for value in values)
    if kind.kind not in "biuf":
        return None
    return np.frombuffer(data, kind).reshape(len(values), *shape)


def _scaled(array: NDArray[Any]) -> Floats:
    made = array.astype(np.float32)
    made = np.nan_to_num(made, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(made.min()), float(made.max())
    made = (made - low) / (high - low if high > low else 1.0)
    return made[..., None] if made.ndim == 3 else made


def _values_in(features: dict[str, Any]) -> int:
    total = 0
    for value in features.values():
        if isinstance(value, dict) and "shape" in value:
            total += int(np.prod(value["shape"]))
        else:
            total += 1 + len(value) // 8 if isinstance(value, str) else 1
    return total


def _label(row: Row) -> str:
    if row.label is None:
        return NO_LABEL
    value = json.loads(row.label)
    text = value if isinstance(value, str) else json.dumps(value)
    return NO_LABEL if text.strip() in _EMPTY else text[:200]
