"""Deliveries as tests need them: tables written as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from watchword.data.screening.sample import Sample

Table = Sequence[Mapping[str, Any]]
Write = Callable[[str, Table], Path]


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes a table to a file of the given name; the suffix says the format; each call in a folder of its own."""

    def written(name: str, table: Table) -> Path:
        path = tmp_path_factory.mktemp("delivery") / name
        write_table(path, table)
        return path

    return written


def write_table(path: Path, table: Table) -> None:
    """Write *table* in the format that the suffix of *path* says."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(table[0]), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(table)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table), encoding="utf-8")
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in table]), path)


@pytest.fixture(scope="module")
def digits() -> Sample:
    """1,797 handwritten digits, as scikit-learn ships them."""
    from watchword.data.screening.sample import Sample, classes_of

    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn, of the development lock")
    loaded = datasets.load_digits()
    labels, names = classes_of(str(label) for label in loaded.target)
    return Sample(labels, names, images=(loaded.images / 16).astype("float32")[..., None])
