"""The data of an evaluation, as instances: what is given to the subject, and what would be right.

* ``arrays``: an ``.npz`` with ``x`` (instances along the first axis) and ``y`` (classes, whole numbers).
* ``texts``: JSON lines, each ``{"text": …, "label": …}``.
* ``files``: a folder whose folders are the labels: ``python/manage.py`` should be taken for ``python``.

Nothing is unpickled; sizes are looked at before anything is read. It is a data set after MAITE's protocol: a length,
and for each index a triple of instance, label and metadata.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.limits import EVALUATION_DATA_BYTES_MAX, EVALUATION_FILE_BYTES_MAX, EVALUATION_INSTANCES_MAX

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


class BadData(WatchwordError):
    """Data that is not of the form that the plan says."""


@dataclass(frozen=True)
class Samples:
    """The population. ``x``, ``y`` of arrays; ``items``, ``labels``, ``names`` of texts and files."""

    id: str
    x: Array | None = None
    y: Array | None = None
    items: tuple[str | bytes, ...] = ()
    labels: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def metadata(self) -> dict[str, str]:
        return {"id": self.id}

    def __len__(self) -> int:
        return len(self.items) if self.x is None else len(self.x)

    def __getitem__(self, index: int) -> tuple[Any, Any, dict[str, Any]]:
        if self.x is None or self.y is None:
            return self.items[index], self.labels[index], {"id": self.names[index]}
        return self.x[index], self.y[index], {"id": index}

    def name(self, index: int) -> str:
        """How an instance is called in a report."""
        return self.names[index] if self.names else str(index)


def read_samples(path: Path, form: str) -> Samples:
    """Read the data at *path*.

    Raises:
        BadData: of another form, empty, or past a limit.
    """
    read = {"arrays": _arrays, "texts": _texts, "files": _files}[form]
    found = read(path)
    if not 0 < len(found) <= EVALUATION_INSTANCES_MAX:
        raise BadData(f"{path}: {len(found):,} instances, not 1 to {EVALUATION_INSTANCES_MAX:,}")
    return found


_UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What ``zipfile`` and ``numpy`` raise of bytes that are no arrays: cut off, encrypted, packed in another way, larger
than any memory."""


def _arrays(path: Path) -> Samples:
    import numpy

    try:
        with zipfile.ZipFile(path) as file:
            size = sum(one.file_size for one in file.infolist())
        if size > EVALUATION_DATA_BYTES_MAX:
            raise BadData(f"{path}: {size:,} bytes unpacked, more than {EVALUATION_DATA_BYTES_MAX:,}")
        with numpy.load(path, allow_pickle=False) as kept:
            x, y = kept["x"], kept["y"]
    except _UNREADABLE as error:
        why = str(error) or type(error).__name__
        raise BadData(f"{path}: not an .npz with x and y: {why}", "numpy.savez(path, x=x, y=y)") from error
    if x.ndim < 2 or y.shape != (len(x),) or x.dtype.kind not in "fiu" or y.dtype.kind not in "iu":
        raise BadData(f"{path}: x is {x.dtype} {x.shape}, y is {y.dtype} {y.shape}", "one class in y for each row of x")
    made = x.astype("float32")
    if not numpy.isfinite(made).all():
        raise BadData(f"{path}: x holds NaN or infinity")
    return Samples(path.name, made, y.astype("int64"))


def _texts(path: Path) -> Samples:
    if path.stat().st_size > EVALUATION_DATA_BYTES_MAX:
        raise BadData(f"{path}: larger than {EVALUATION_DATA_BYTES_MAX:,} bytes")
    items, labels = [], []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            value = json.loads(line)
            text, label = value["text"], value["label"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadData(f"{path}, line {number}: not an object with text and label") from error
        if not isinstance(text, str) or not isinstance(label, str):
            raise BadData(f"{path}, line {number}: text and label are texts")
        items.append(text)
        labels.append(label)
    return Samples(path.name, items=tuple(items), labels=tuple(labels), names=tuple(map(str, range(len(items)))))


def _files(path: Path) -> Samples:
    found = sorted(one for one in path.glob("*/**/*") if one.is_file() and not one.is_symlink())
    size = sum(one.stat().st_size for one in found)
    if size > EVALUATION_DATA_BYTES_MAX:
        raise BadData(f"{path}: {size:,} bytes, more than {EVALUATION_DATA_BYTES_MAX:,}")
    for one in found:
        if one.stat().st_size > EVALUATION_FILE_BYTES_MAX:
            raise BadData(f"{one}: larger than {EVALUATION_FILE_BYTES_MAX:,} bytes")
    names = tuple(one.relative_to(path).as_posix() for one in found)
    items = tuple(one.read_bytes() for one in found)
    return Samples(path.name, items=items, labels=tuple(name.partition("/")[0] for name in names), names=names)
