"""garak's ``*.report.jsonl`` (0.14 to 0.17): one row per entry, ``eval`` rows hold the counts. No published schema.

``passed`` counts outputs that the detector did not hit: what was defended. ``nones`` are outputs that no detector
judged; they are in ``total_processed`` and pass nothing. garak's own interval is a bootstrap of the attack's success.
A row for each pair of probe and detector stands on its own: one probe judged by two detectors is two results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchword.evaluate.imports.report import (
    ATTACKED,
    BadReport,
    Bytes,
    Measured,
    Report,
    checked,
    count,
    mapping,
    parsed,
    said,
)

NAME = "garak"


def claims(first: Any) -> bool:
    """Whether the first row of a file is one of garak's."""
    return isinstance(first, dict) and isinstance(first.get("entry_type"), str)


def read(file: Bytes) -> Report:
    """The counts of a report.

    Raises:
        BadReport, NotCanonical: a row that is none or does not add up.
    """
    what = file.path.name
    version = subject = ""
    ended = False
    measured: list[Measured] = []
    for number, line in file.lines():
        row = mapping(parsed(line, f"{what}: line {number}"), f"{what}: line {number}")
        kind = row.get("entry_type")
        if kind == "start_run setup":
            version = said(row.get("_config.version"))
            subject = said(row.get("plugins.target_name") or row.get("plugins.model_name"))
        elif kind == "init":
            version = said(row.get("garak_version")) or version
        elif kind == "completion":
            ended = True
        elif kind == "eval":
            measured.append(_measured(row, f"{what}: line {number}"))
    if not measured:
        raise BadReport(f"{what}: no eval row", "garak writes them when a probe has been judged")
    return Report(
        NAME, "garak", version, file.digest(), subject,
        unfinished="" if ended else "it has no completion row: the run was cut off, or the file was put together",
        measured=checked(measured, what),
    )  # fmt: skip


def _measured(row: Mapping[str, Any], what: str) -> Measured:
    passed, fails = count(row.get("passed"), f"{what}: passed"), count(row.get("fails"), f"{what}: fails")
    nones = count(row.get("nones", 0), f"{what}: nones")
    begun = count(row.get("total_processed", passed + fails + nones), f"{what}: total_processed")
    if passed + fails + nones != begun:
        raise BadReport(f"{what}: {passed} passed, {fails} failed and {nones} not judged are not the {begun} processed")
    method = f"garak {said(row.get('probe'), 200)} judged by {said(row.get('detector'), 200)}"
    return Measured(method, ATTACKED, passed, begun, nones=nones)
