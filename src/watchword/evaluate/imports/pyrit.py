"""PyRIT's attack results, exported as JSON or CSV: one row per attack with its ``outcome``.

Outcomes are ``success`` (of the attack), ``failure`` (the system held), ``undetermined`` and ``error``; the last two
defend nothing. An export of conversations alone has no outcomes, and nothing is guessed from its scores.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

from watchword.evaluate.imports.report import ATTACKED, BadReport, Bytes, Measured, Report, checked, mapping, rows, said
from watchword.limits import IMPORT_LINE_BYTES_MAX, IMPORT_ROWS_MAX

NAME = "pyrit"
_OUTCOMES = {"success": "bad", "failure": "good", "undetermined": "none", "error": "error"}


def claims(value: Any) -> bool:
    """Whether *value* is an export of PyRIT: a list of attack results or of message pieces."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and "conversation_id" in first


def claims_header(line: str) -> bool:
    """Whether *line* heads such an export in CSV."""
    try:
        return "conversation_id" in next(csv.reader([line]), [])
    except csv.Error:
        return False


def read(file: Bytes, value: Any) -> Report:
    """The outcomes of a JSON export.

    Raises:
        BadReport: malformed, or it has no outcomes.
    """
    return _report(file, rows(value, file.path.name))


def read_csv(file: Bytes) -> Report:
    """The outcomes of a CSV export. Raises as `read`."""
    what = file.path.name
    try:
        text = file.whole().decode("utf-8-sig")
        csv.field_size_limit(IMPORT_LINE_BYTES_MAX)
        return _report(file, csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadReport(f"{what}: no CSV in UTF-8: {error}") from error


def _report(file: Bytes, results: Iterable[Any]) -> Report:
    what = file.path.name
    outcomes: dict[str, Counter[str]] = {}
    for number, value in enumerate(results, 1):
        if number > IMPORT_ROWS_MAX:
            raise BadReport(f"{what}: more than {IMPORT_ROWS_MAX:,} rows")
        row = mapping(value, f"{what}: row {number}")
        if "outcome" not in row:
            hint = "export attack results; the scores of messages do not say what an attack came to"
            raise BadReport(f"{what}: row {number} has no outcome", hint)
        outcome = said(row["outcome"], 40).lower().removeprefix("attackoutcome.")
        if outcome not in _OUTCOMES:
            raise BadReport(f"{what}: row {number}: outcome {outcome!r} is not one of {', '.join(_OUTCOMES)}")
        outcomes.setdefault(_attack(row), Counter())[_OUTCOMES[outcome]] += 1
    if not outcomes:
        raise BadReport(f"{what}: no attack result")
    return Report(
        NAME, "PyRIT", "", file.digest(),
        measured=checked(
            (
                Measured(
                    f"PyRIT {name}", ATTACKED, got["good"], sum(got.values()), got["error"], got["none"]
                )
                for name, got in sorted(outcomes.items())
            ),
            what,
        ),
    )  # fmt: skip


def _attack(row: Any) -> str:
    named = row.get("attack_identifier")
    kind = named.get("__type__") or named.get("class_name") if isinstance(named, dict) else None
    return said(kind, 200) or "attacks"
