"""What a person decided about suspect rows: keep or drop, each with a reason, and the delivery without those dropped.

* Every row that a screen listed needs a decision, and every decision a reason: a list that was not read is not a
  review. A row that was not listed may be decided too.
* The cleaned delivery is a new file of the same format (CSV or JSON lines): the lines of the old one, without those
  dropped, byte for byte. Its row manifest and the exact difference to the old one prove that nothing else went.
* The old file stays as it is. Nothing is ever deleted in silence.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from watchword.data.delivery import Delivery, Roles, TooLarge, csv_rows
from watchword.data.row import DataError
from watchword.limits import DATA_CELL_BYTES_MAX, REVIEW_TEXT_CHARS, SCREEN_JSON_BYTES_MAX

SCHEMA = "watchword-data-review/1"


class NotDecided(DataError):
    """A listed row without a decision, or a decision without a reason."""


@dataclass(frozen=True)
class Decision:
    """What was decided about one row (from 1), and why."""

    row: int
    decision: Literal["keep", "drop"]
    reason: str


def read_screen(path: Path) -> dict[str, Any]:
    """A screen's result as it was written.

    Raises:
        DataError: not one.
    """
    with Delivery(path) as delivery:
        if delivery.size > SCREEN_JSON_BYTES_MAX:
            raise TooLarge(f"{path}: has {delivery.size:,} bytes, the limit is {SCREEN_JSON_BYTES_MAX:,}")
        try:
            value = json.loads(b"".join(delivery.chunks()))
            rows = [one["row"] for one in value["listed"]]
            if value["schema"] != "watchword-data-screen/1" or not all(type(row) is int for row in rows):
                raise ValueError("another schema")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError(f"{path}: is not what data screen --output wrote", "screen the delivery again") from error
        delivery.finish()
    return dict(value)


def read_decisions(path: Path) -> list[Decision]:
    """Decisions from a CSV of ``row``, ``decision``, ``reason``.

    Raises:
        NotDecided: a decision that is neither keep nor drop, or has no reason.
        DataError: not such a table.
    """
    roles = Roles(None, None, None, None)
    with Delivery(path) as delivery:
        found = [json.loads(row.features) for row in csv_rows(delivery, roles)[1]]
        delivery.finish()
    return [decided(one.get("row", ""), one.get("decision", ""), one.get("reason", "")) for one in found]


def decided(row: str, decision: str, reason: str) -> Decision:
    """One decision, checked.

    Raises:
        NotDecided: see `read_decisions`.
    """
    if not row.isdecimal() or len(row) > 12 or int(row) < 1:
        raise NotDecided(f"{row[:40]!r} is not a row", "rows are counted from 1")
    if decision == "keep":
        kind: Literal["keep", "drop"] = "keep"
    elif decision == "drop":
        kind = "drop"
    else:
        raise NotDecided(f"row {row}: {decision[:40]!r} is neither keep nor drop")
    if not reason.strip():
        raise NotDecided(f"row {row}: has no reason", "say why it is kept or dropped")
    return Decision(int(row), kind, reason.strip()[:1000])


def check_decided(listed: list[int], decisions: list[Decision]) -> None:
    """Every listed row has exactly one decision.

    Raises:
        NotDecided: one has none, or two.
    """
    rows = [one.row for one in decisions]
    if missing := sorted(set(listed) - set(rows)):
        raise NotDecided(f"row {missing[0]:,} is listed and nothing was decided about it", f"{len(missing):,} are open")
    if twice := sorted(row for row, times in Counter(rows).items() if times > 1):
        raise NotDecided(f"row {twice[0]:,} is decided twice")


def texts_of(path: Path, rows: Collection[int]) -> dict[int, str]:
    """How each of *rows* begins, as it stands in the file: at most REVIEW_TEXT_CHARS characters.

    Raises:
        DataError: see `without_dropped`.
    """
    wanted = set(rows)
    with Delivery(path) as delivery:
        found = {row: text for row, text in _numbered(delivery) if row in wanted}
        delivery.finish()
    return {row: text[:REVIEW_TEXT_CHARS].rstrip("\r\n") for row, text in found.items()}


def without_dropped(path: Path, decisions: list[Decision]) -> bytes:
    """The delivery without the rows dropped.

    Raises:
        DataError: neither CSV nor JSON lines, or a row that it has not.
    """
    drop = {one.row for one in decisions if one.decision == "drop"}
    kept, row = io.StringIO(newline=""), 0
    with Delivery(path) as delivery:
        for row, text in _numbered(delivery):
            if row not in drop:
                kept.write(text)
        delivery.finish()
    if over := sorted(one for one in drop if one > row):
        raise DataError(f"{path}: has {row:,} rows, row {over[0]:,} was to be dropped")
    return kept.getvalue().encode()


def _numbered(delivery: Delivery) -> Iterator[tuple[int, str]]:
    """Each row, counted from 1, and its lines as they stand; of CSV the header first, as 0."""
    kind = delivery.format()
    if kind not in ("csv", "jsonl"):
        what = f"{delivery.path}: is {kind}; rows are dropped from CSV and JSON lines here"
        raise DataError(what, "convert it first")
    return enumerate(_records(delivery, kind), start=0 if kind == "csv" else 1)


def _records(delivery: Delivery, kind: str) -> Iterator[str]:
    """The lines of each row, as they stand; of CSV the header first."""
    if kind == "jsonl":
        for line in delivery.lines():
            delivery.pending = 0
            yield line
        return
    csv.field_size_limit(DATA_CELL_BYTES_MAX)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in delivery.lines():
            taken.append(line)
            yield line

    try:
        for _ in csv.reader(lines(), strict=True):
            yield "".join(taken)
            taken.clear()
            delivery.pending = 0
    except csv.Error as error:
        delivery.fail(f"is not well-formed CSV: {error}")
