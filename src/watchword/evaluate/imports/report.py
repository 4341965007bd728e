"""What a report of another tool says, as plain values, and how its bytes are read.

* Counts carry over: so many good of ``n`` begun. What broke, gave no answer or was cut off is among these and not good:
  an attack without an outcome counts as one that succeeded. What was never begun stands apart, in ``not_run``. Rates
  and intervals of others are not taken over.
* A number without counts is a ``Claimed``: shown, never evidence.
* A report that its tool did not finish says so in ``unfinished``: nothing may be signed from it.
* Paths of the machine that ran the tool are cut to their last part wherever a text is kept.
* Time and memory are linear in the file, and the file is bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import (
    IMPORT_BYTES_MAX,
    IMPORT_LINE_BYTES_MAX,
    IMPORT_LINES_BYTES_MAX,
    IMPORT_OBJECTS_MAX,
    IMPORT_ROWS_MAX,
    IMPORT_TEXT_MAX,
)
from watchword.statements.canonical import parse_json


class BadReport(WatchwordError):
    """A report that is none, is malformed, contradicts itself or is past a limit."""


ATTACKED = "attack-success-rate"
"""The metric that counts what went wrong; every other counts what went right."""


@dataclass(frozen=True)
class Measured:
    """*good* of *n* by one *method*: ``errors`` and ``nones`` (no verdict, cut off) are among *n* and not good."""

    method: str
    metric: str
    good: int
    n: int
    errors: int = 0
    nones: int = 0
    not_run: int = 0

    @property
    def k(self) -> int:
        """What the metric counts of *n*."""
        return self.n - self.good if self.metric == ATTACKED else self.good


@dataclass(frozen=True)
class Found:
    """One thing that a scanner reports. ``severity``: its own word, lower case."""

    rule: str
    severity: str
    path: str
    message: str

    @property
    def verdict(self) -> str:
        """``dangerous`` where the tool says critical; ``suspicious`` for anything else it holds against the release."""
        return "dangerous" if self.severity == "critical" else "suspicious"


@dataclass(frozen=True)
class Claimed:
    """A number that somebody states without counts. ``low`` and ``high``: the interval stated with it."""

    metric: str
    value: str
    about: str = ""
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class NamedFile:
    """A file of a data set and the digest that its description gives; None where it gives none that is one."""

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Report:
    """One report. ``digest``: SHA-256 of the file; ``notes``: what a reader must know beside the numbers."""

    format: str
    tool: str
    version: str
    digest: str
    subject: str = ""
    unfinished: str = ""
    measured: tuple[Measured, ...] = ()
    found: tuple[Found, ...] = ()
    looked_at: int = 0
    unread: int = 0
    claimed: tuple[Claimed, ...] = ()
    files: tuple[NamedFile, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """All of it, as ``watchword-report/1``."""
        return {"schema": "watchword-report/1", **asdict(self)}


# -- reading ------------------------------------------------------------------------------------------


class Bytes:
    """A file of a bounded size, read once: whole or by lines. Its digest is of what was read."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._seen = hashlib.sha256()

    def whole(self) -> bytes:
        """All of it.

        Raises:
            BadReport: it is too long.
        """
        if self.size > IMPORT_BYTES_MAX:
            raise BadReport(f"{self.path.name}: {self.size:,} bytes, limit {IMPORT_BYTES_MAX:,}")
        with self.path.open("rb") as file:
            data = file.read(self.size)
        self._seen.update(data)
        return data

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not empty, with their numbers.

        Raises:
            BadReport: the file or a line of it is too long.
        """
        if self.size > IMPORT_LINES_BYTES_MAX:
            raise BadReport(f"{self.path.name}: {self.size:,} bytes, limit {IMPORT_LINES_BYTES_MAX:,}")
        left, number = self.size, 0
        with self.path.open("rb") as file:
            while line := file.readline(min(left, IMPORT_LINE_BYTES_MAX + 1)):
                number += 1
                left -= len(line)
                if len(line) > IMPORT_LINE_BYTES_MAX:
                    raise BadReport(f"{self.path.name}: line {number} is longer than {IMPORT_LINE_BYTES_MAX:,} bytes")
                self._seen.update(line)
                if line.strip():
                    yield number, line

    def digest(self) -> str:
        """SHA-256 of what was read of it."""
        return "sha256:" + self._seen.hexdigest()


def parsed(data: bytes, what: str) -> Any:
    """*data* as JSON, strictly, within a bound on what it takes in memory.

    Raises:
        BadReport: it holds too many objects. NotCanonical: it is not strict JSON.
    """
    opened = data.count(b"{") + data.count(b"[")
    if opened > IMPORT_OBJECTS_MAX:
        raise BadReport(f"{what}: {opened:,} brackets, limit {IMPORT_OBJECTS_MAX:,}")
    return parse_json(data, what, IMPORT_BYTES_MAX)


# -- picking what is needed ---------------------------------------------------------------------------


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """*value* as an object, or `BadReport` naming *what*."""
    if not isinstance(value, dict):
        raise BadReport(f"{what}: not an object")
    return value


def rows(value: Any, what: str) -> list[Any]:
    """*value* as a list of bounded length, or `BadReport` naming *what*."""
    if not isinstance(value, list):
        raise BadReport(f"{what}: not a list")
    if len(value) > IMPORT_ROWS_MAX:
        raise BadReport(f"{what}: {len(value):,} entries, limit {IMPORT_ROWS_MAX:,}")
    return value


def count(value: Any, what: str) -> int:
    """*value* as a count of things, or `BadReport` naming *what*: no fraction, no truth value, nothing below zero."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise BadReport(f"{what}: {str(value)[:40]!r} is no count")
    return value


_PART = r"[^\s\"'`<>|:;,()\[\]{}\\/]+"
_HOST_PATH = re.compile(rf"(?<![\w:/\\.-])(?:file:/{{1,3}}|[A-Za-z]:[\\/]|\\\\|/|~/)(?:{_PART}[\\/]+)*{_PART}[\\/]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def said(value: Any, length: int = IMPORT_TEXT_MAX) -> str:
    """*value* as a text to keep: without host paths, control and direction characters, and of bounded length."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    text = _CONTROL.sub("", without_host_paths(text[: 4 * length])).strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def without_host_paths(text: str) -> str:
    """*text* with every absolute path cut to its last part; addresses of the web stay as they are."""
    return _HOST_PATH.sub(lambda match: re.split(r"[\\/]+", match[0].rstrip("\\/"))[-1], text)


def checked(measured: Iterable[Measured], what: str) -> tuple[Measured, ...]:
    """*measured*, of which every row adds up.

    Raises:
        BadReport: more good, broken and unanswered than were begun; or too many rows.
    """
    kept = []
    for row in measured:
        if row.good + row.errors + row.nones > row.n:
            undecided = row.errors + row.nones
            raise BadReport(f"{what}: {row.method}: {row.good} good, {undecided} undecided of {row.n} begun")
        kept.append(row)
    if len(kept) > IMPORT_ROWS_MAX:
        raise BadReport(f"{what}: {len(kept):,} results, limit {IMPORT_ROWS_MAX:,}")
    return tuple(kept)
