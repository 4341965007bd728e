"""The rows of one delivery as numbers: what a screen looks at. Reads through the strict readers of ``watchword.data``.

* A column is an *image* (an NPZ array of two or three axes a row), an *embedding* (one axis a row), *numbers* (every
  value a number, or empty, which counts as missing), *text* (strings of on average three words or more), else a
  *category*. Columns of one value say nothing. What cannot be looked at is named with the reason: content that is known
  by its digest alone (pictures and other files in a tar, which nothing here decodes), arrays of several shapes, and
  columns whose every value is another text without spaces.
* A label that is missing, NaN or empty is a label of its own, told as ``(none)``. Rows keep their places: row *n* of a
  report is index *n* - 1 here.
* Bounded: SCREEN_VALUES_MAX values in all (``columns``). What is over is refused, not thinned out in silence.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.data.delivery import Delivery, FileChanged, Progress, Roles, Row, missing_column
from watchword.data.manifest import open_rows
from watchword.data.screening.columns import EMPTY, Column, Columns, NotScreened
from watchword.limits import SCREEN_CLASSES_MAX, SCREEN_ROWS_MIN
from watchword.sandbox import Kept

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NO_LABEL = "(none)"


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
        not_screened: columns that were not looked at, each with the reason.
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
    not_screened: tuple[tuple[str, str], ...] = field(default=())

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """The number of labels."""
        return len(self.names)


def read_sample(
    path: Path,
    roles: Roles,
    *,
    trusted: str | None = None,
    file_sha256: str | None = None,
    kept: Kept = Kept.NOTHING,
    progress: Progress | None = None,
) -> Sample:
    """The rows of a CSV, JSON lines, Parquet, Arrow, NPZ or tar file.

    Args:
        roles: which columns are key, label, source, annotator; a label is needed.
        trusted: the column whose value 1 (or true, yes) says that somebody answers for the row.
        file_sha256: what the file was when its manifest was made, in hex.
        kept: as ``manifest_rows`` has it.

    Raises:
        FileChanged: it is another file now.
        NotScreened: too few rows, one class, nothing but keys, more values than the limit.
        DataError: the file cannot be read to its end; nothing was used.
    """
    if roles.label is None:
        raise NotScreened(f"{path}: which column is the label?", "name it with --label")
    values = frozenset(() if trusted is None else (trusted,))
    taken = _taken(path, roles, values, file_sha256, kept, progress)
    if late := taken.columns.late:
        # Columns that were no numbers after all: the same bytes once more, or none.
        taken = _taken(path, roles, values | late, taken.file_sha256, kept, progress)
    if len(taken.labels) < SCREEN_ROWS_MIN:
        what = f"{path}: has {len(taken.labels):,} rows, a screen needs {SCREEN_ROWS_MIN}"
        raise NotScreened(what, "read them instead")
    return _sample(path, taken, trusted)


@dataclass(frozen=True)
class _Taken:
    """The rows of one reading; ``apart`` is key, source and annotator of each."""

    columns: Columns
    labels: list[str]
    apart: list[tuple[str | None, str | None, str | None]]
    file_sha256: str


def _taken(
    path: Path, roles: Roles, values: frozenset[str], file_sha256: str | None, kept: Kept, progress: Progress | None
) -> _Taken:
    labels, apart = list[str](), list[tuple[str | None, str | None, str | None]]()
    known: dict[Any, Any] = {}
    with Delivery(path, progress) as delivery:
        columns = Columns(str(path), values, arrays=delivery.format() == "npz")
        header, rows, _ = open_rows(delivery, roles, kept)
        for row in rows:
            features = json.loads(row.features)
            if roles.key is not None:
                del features[roles.key]
            columns.add(features)
            label = _label(row)
            labels.append(known.setdefault(label, label))
            source, annotator = (known.setdefault(name, name) for name in (row.source, row.annotator))
            apart.append((row.key, source, annotator))
        if labels and labels.count(NO_LABEL) == len(labels):
            missing_column(delivery, "label", str(roles.label), [name for name, _ in header] or list(columns.by_name))
        _, digest = delivery.finish()
        if file_sha256 not in (None, digest):
            hint = "wait until the delivery is complete, or copy it aside first; nothing was used"
            raise FileChanged(f"{path}: changed after it was read the first time", hint)
    return _Taken(columns, labels, apart, digest)


def classes_of(labels: Iterable[str]) -> tuple[Ints, tuple[str, ...]]:
    """Class index a row, and the classes by frequency (then by name)."""
    values = list(labels)
    names = [name for name, _ in sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))]
    index = {name: at for at, name in enumerate(names)}
    return np.array([index[value] for value in values], dtype=np.int64), tuple(names)


def _sample(path: Path, taken: _Taken, trusted: str | None) -> Sample:
    labels, names = classes_of(taken.labels)
    rows = len(labels)
    if len(names) < 2:
        raise NotScreened(f"{path}: every row has the label {names[0]!r}", "a screen compares labels; there is one")
    if len(names) > min(SCREEN_CLASSES_MAX, rows // 2):
        what = f"has {len(names):,} different labels on {rows:,} rows"
        raise NotScreened(
            f"{path}: {what}", f"a screen needs two rows a label, and {SCREEN_CLASSES_MAX:,} labels at most"
        )
    found = taken.columns.by_name
    vouched = None
    if trusted is not None:
        if trusted not in found:
            raise NotScreened(f"{path}: has no column {trusted!r} for the trusted rows", "name one of its columns")
        yes = ("1", "true", "yes", "True", "1.0")
        vouched = np.array([str(value) in yes for value in found.pop(trusted).padded(rows)], dtype=np.bool_)
    parts = _parts(found, rows)
    if parts.keys() == {"not_screened"}:
        unseen = "; ".join(f"{name}: {why}" for name, why in parts["not_screened"][:5])
        hint = unseen or "columns with one value say nothing"
        raise NotScreened(f"{path}: no column holds anything to compare", hint)
    apart = [None if one[0] is None else tuple(map(str, one)) for one in zip(*taken.apart, strict=True)]
    return Sample(labels, names, keys=apart[0], sources=apart[1], annotators=apart[2], trusted=vouched, **parts)


def _parts(found: dict[str, Column], rows: int) -> dict[str, Any]:
    numbers: list[tuple[str, Floats]] = []
    texts: list[list[str]] = []
    categories: list[tuple[str, tuple[str, ...]]] = []
    parts: dict[str, Any] = {}
    unseen: list[tuple[str, str]] = []
    for name, column in found.items():
        if column.kind == "digests":
            unseen.append((name, "its content is known by digest alone and not decoded"))
        elif column.kind == "arrays":
            array = column.array(rows)
            if array is None:
                unseen.append((name, "its arrays hold no numbers, or not every row has one"))
            elif array.ndim >= 3 and "images" not in parts:
                parts["images"] = _scaled(array)
            else:
                flat = array.reshape(rows, -1)
                numbers += [(f"{name}[{at}]", flat[:, at]) for at in range(flat.shape[1])]
        elif column.kind == "numbers":
            numeric = np.array(column.padded(rows), dtype=np.float32)
            if np.nanmin(numeric, initial=np.inf) < np.nanmax(numeric, initial=-np.inf):
                numbers.append((name, numeric))
        else:
            strings = [
                "" if one is None else one if isinstance(one, str) else json.dumps(one) for one in column.padded(rows)
            ]
            if sum(text.count(" ") for text in strings) >= 2 * rows:
                texts.append(strings)
            elif 1 < len(set(strings)) < rows * 0.9:
                categories.append((name, tuple(strings)))
            elif len(set(strings)) > 1:
                unseen.append((name, "nearly every value is another text without spaces"))
        column.store = []
    parts["not_screened"] = tuple(unseen)
    if numbers:
        parts["numbers"] = np.stack([column for _, column in numbers], axis=1).astype(np.float32)
        parts["columns"] = tuple(name for name, _ in numbers)
    if texts:
        parts["texts"] = tuple("\n".join(row) for row in zip(*texts, strict=True))
    if categories:
        parts["categories"] = tuple(categories)
    return parts


def _scaled(array: NDArray[Any]) -> Floats:
    made = array.astype(np.float32)
    made = np.nan_to_num(made, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(made.min()), float(made.max())
    made = (made - low) / (high - low if high > low else 1.0)
    return made[..., None] if made.ndim == 3 else made


def _label(row: Row) -> str:
    if row.label is None:
        return NO_LABEL
    value = json.loads(row.label)
    text = value if isinstance(value, str) else json.dumps(value)
    return NO_LABEL if text.strip() in EMPTY else text[:200]
