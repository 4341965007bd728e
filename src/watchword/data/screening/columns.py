"""The columns of a delivery as they are read, row by row, each in the least memory that holds it.

* A column is *numbers* (4 bytes a row) as long as every value is one, or empty; of NPZ *arrays* (their bytes) as long
  as all are of one shape and type; *digests* (nothing kept) where content is known by its digest alone; else *values*,
  as they stand. One that turned out to be values after numbers is named in ``late``: it has to be read a second time.
* What is kept is counted, and refused past SCREEN_VALUES_MAX: a row that lacks a column counts as well, because a table
  has a place for it.
"""

from __future__ import annotations

import base64
import json
import math
from array import array
from itertools import repeat
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from watchword.data.row import DataError
from watchword.limits import SCREEN_VALUES_MAX

EMPTY = frozenset(("", "nan", "NaN", "NA", "null", "None"))
_TEXT = 64
"""Bytes of a string beside its characters, and of the row's own names."""
_FAR = 1e30


class NotScreened(DataError):
    """Data about which no screen could say anything; the message says why."""


class Column:
    """One column: its *kind*, and in *store* one entry a row up to the last one that has it."""

    __slots__ = ("_alike", "_missing", "kind", "store")

    def __init__(self, first: Any, row: int, *, values: bool, arrays: bool) -> None:
        self.kind: Literal["numbers", "arrays", "digests", "values", "late"] = "numbers"
        self.store: Any = array("f")
        self._missing: Any = math.nan
        self._alike: tuple[Any, ...] = ()
        if not values and isinstance(first, dict):
            if first.keys() == {"bytes", "sha256"}:
                self.kind = "digests"
            elif arrays and "shape" in first and row == 0:
                self.kind, self._alike = "arrays", (first["type"], tuple(first["shape"]))
                self._as_values()
        if values or (self.kind == "numbers" and _number(first) is None):
            self.kind = "values"
            self._as_values()

    def put(self, row: int, value: Any) -> int:
        """Keep the value of *row*; how many values of 4 bytes that takes beside its place."""
        if self.kind in ("digests", "late"):
            return 0
        if len(self.store) != row:
            self.store.extend(repeat(self._missing, row - len(self.store)))
        if isinstance(value, dict) and value.keys() == {"bytes", "sha256"}:
            self.kind, self.store = "digests", []
            return 0
        if self.kind == "numbers":
            number = _number(value)
            if number is not None:
                self.store.append(number)
                return 0
        elif self.kind == "values":
            self.store.append(value)
            return (_TEXT + (len(value) if isinstance(value, str) else 8 * len(json.dumps(value)))) // 4
        elif isinstance(value, dict) and (value["type"], tuple(value["shape"])) == self._alike:
            data = base64.b64decode(value["data"])
            self.store.append(data)
            return (_TEXT + len(data)) // 4 + int(math.prod(self._alike[1]))
        self.kind, self.store = "late", []
        return 0

    def _as_values(self) -> None:
        self.store, self._missing = [], None

    def padded(self, rows: int) -> Any:
        """The store with an entry for each of *rows*."""
        self.store.extend(repeat(self._missing, rows - len(self.store)))
        return self.store

    def array(self, rows: int) -> NDArray[Any] | None:
        """Arrays as one, an axis for the rows before their own; None where they hold no numbers or a row has none."""
        kind = np.dtype(self._alike[0])
        if kind.kind not in "biuf" or len(self.store) != rows:
            return None
        return np.frombuffer(b"".join(self.store), kind).reshape(rows, *self._alike[1])


class Columns:
    """All columns; *values* names those to keep as they stand, *arrays* says that objects are what ``arrays`` makes.

    Attributes:
        rows: how many were taken. by_name: the columns in order of their first row.
    """

    def __init__(self, what: str, values: frozenset[str], *, arrays: bool) -> None:
        self._what, self._values, self._arrays = what, values, arrays
        self._kept = 0
        self.rows = 0
        self.by_name: dict[str, Column] = {}

    @property
    def late(self) -> frozenset[str]:
        """Columns that have to be read again, as values."""
        return frozenset(name for name, column in self.by_name.items() if column.kind == "late")

    def add(self, features: dict[str, Any]) -> None:
        """Take a row.

        Raises:
            NotScreened: past SCREEN_VALUES_MAX.
        """
        row, by_name, kept = self.rows, self.by_name, _TEXT // 4
        for name, value in features.items():
            column = by_name.get(name)
            if column is None:
                column = by_name[name] = Column(value, row, values=name in self._values, arrays=self._arrays)
            kept += column.put(row, value)
        self._kept += kept
        self.rows += 1
        if self._kept + self.rows * len(by_name) > SCREEN_VALUES_MAX:
            what = f"{self._what}: has over {SCREEN_VALUES_MAX:,} values"
            raise NotScreened(what, "screen a part, or embeddings of it")


def _number(value: Any) -> float | None:
    """A number as far as a screen tells numbers apart; NaN where it is none or not finite; None for anything else."""
    if value is None:
        return math.nan
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _TEXT):
        return None
    if isinstance(value, str) and value.strip() in EMPTY:
        return math.nan
    try:
        made = float(value)
    except ValueError:
        return None
    return max(-_FAR, min(_FAR, made)) if math.isfinite(made) else math.nan
