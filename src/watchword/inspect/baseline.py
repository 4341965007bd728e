"""A baseline (``watchword-baseline/1``, TOML or JSON): findings that somebody answers for, until a day.

1. A suppression names a rule, a path (a pattern, ``*`` for any text), the SHA-256 of the delivered file, a reason, an
   owner, and the last day on which it holds, at most BASELINE_DAYS_MAX ahead. Leaving one out is an error.
2. It covers a finding only while the file is the very one that was looked at: one changed byte, and the finding counts.
   What has no digest (a link, a name, a file that could not be read) cannot be suppressed.
3. When it has lapsed the finding counts again, and the result says so.
4. What is suppressed is never left out: every form of the result lists it, with who answers for it.
5. Evidence is whole: a recorded inspection takes no baseline (see ``cli.inspect``).
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.facts import (
    Applied,
    FileReport,
    Finding,
    Inspection,
    Suppressed,
    Suppression,
    delivered,
    worst,
)
from watchword.limits import (
    BASELINE_BYTES_MAX,
    BASELINE_DAYS_DEFAULT,
    BASELINE_DAYS_MAX,
    BASELINE_ENTRIES_MAX,
    TOML_LINE_DOTS_MAX,
)

FORMAT = "watchword-baseline/1"
_FIELDS = ("rule", "path", "sha256", "reason", "owner", "expires")


class BadBaseline(WatchwordError):
    """The file is no baseline, or one of its suppressions is not complete."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Suppressions as read; ``digest`` is that of the file, so that a result can say which one was used."""

    digest: str
    entries: tuple[Suppression, ...]


def read_baseline(path: Path, today: date) -> Baseline:
    """The baseline in the file *path*.

    Raises:
        BadBaseline: not a baseline; a field is missing, empty or unknown; it holds longer than is allowed.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(BASELINE_BYTES_MAX + 1)
    if len(data) > BASELINE_BYTES_MAX:
        raise BadBaseline(f"{path}: more than {BASELINE_BYTES_MAX:,} bytes")
    value = _parsed(path, data)
    listed = value.get("suppress", [])
    if value.get("format") != FORMAT or not isinstance(listed, list) or set(value) - {"format", "suppress"}:
        raise BadBaseline(f"{path}: not a baseline", f'it begins with format = "{FORMAT}" and lists [[suppress]]')
    if len(listed) > BASELINE_ENTRIES_MAX:
        raise BadBaseline(f"{path}: more than {BASELINE_ENTRIES_MAX:,} suppressions")
    entries = tuple(_suppression(f"{path}: suppression {n}", one, today) for n, one in enumerate(listed, 1))
    return Baseline("sha256:" + hashlib.sha256(data).hexdigest(), entries)


def apply_baseline(inspection: Inspection, baseline: Baseline, today: date) -> Inspection:
    """*inspection* with the findings that *baseline* covers set aside, and its verdicts of the rest alone."""
    by_path = {report.path: report for report in inspection.files}
    counts: list[Finding] = []
    suppressed: list[Suppressed] = []
    expired: dict[Suppression, None] = {}
    used: set[Suppression] = set()
    for finding in inspection.findings:
        fits = list(_fitting(finding, delivered(finding.path, by_path), baseline.entries))
        valid = [one for one in fits if one.expires >= today]
        used.update(fits)
        if valid:
            suppressed.append(Suppressed(finding, max(valid, key=lambda one: one.expires)))
        else:
            counts.append(finding)
            expired.update(dict.fromkeys(fits))
    touched = {report.path for one in suppressed if (report := delivered(one.finding.path, by_path))}
    files = []
    for report in inspection.files:
        if report.path in touched:
            left = [f.verdict for f in counts if delivered(f.path, by_path) is report]
            report = replace(report, verdict=worst(left))
        files.append(report)
    verdict = worst([finding.verdict for finding in counts] + [report.verdict for report in files])
    unused = tuple(one for one in baseline.entries if one not in used)
    applied = Applied(baseline.digest, tuple(suppressed), tuple(expired), unused)
    return replace(inspection, verdict=verdict, findings=tuple(counts), files=tuple(files), baseline=applied)


def draft_baseline(inspections: Iterable[Inspection], today: date) -> str:
    """A baseline (TOML) of all that was found, for a person to fill in: without reason and owner it is refused."""
    until = today + timedelta(days=BASELINE_DAYS_DEFAULT)
    lines = [
        "# Findings somebody has looked at and answers for. Give each a reason and an owner, or delete it: as long as",
        "# one of them is empty, this file is refused. A suppression ends with its last day or when the file changes.",
        f'format = "{FORMAT}"',
    ]
    for inspection in inspections:
        by_path = {report.path: report for report in inspection.files}
        seen = set()
        for finding in inspection.findings:
            report = delivered(finding.path, by_path)
            if report is None or report.sha256 is None or (finding.rule, finding.path) in seen:
                continue
            seen.add((finding.rule, finding.path))
            lines += ["", "[[suppress]]", f"# {finding.verdict}: {finding.message}"]
            values = (finding.rule, glob.escape(finding.path), report.sha256, "", "", until.isoformat())
            # A basic string of TOML takes the escapes of JSON.
            lines += [f"{name} = {json.dumps(text)}" for name, text in zip(_FIELDS, values, strict=True)]
    return "\n".join(lines) + "\n"


def _fitting(finding: Finding, report: FileReport | None, entries: Iterable[Suppression]) -> Iterable[Suppression]:
    if report is None or report.sha256 is None:
        return
    for one in entries:
        if (
            one.rule == finding.rule
            and one.sha256 == report.sha256
            and fnmatch.fnmatchcase(finding.path, one.path)
        ):  # fmt: skip
            yield one


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    import tomllib

    try:
        if data.lstrip()[:1] == b"{":
            value = json.loads(data)
        else:
            if any(line.count(b".") > TOML_LINE_DOTS_MAX for line in data.split(b"\n")):
                raise BadBaseline(f"{path}: a line has more than {TOML_LINE_DOTS_MAX} dots")
            value = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise BadBaseline(f"{path}: neither TOML nor JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadBaseline(f"{path}: not a baseline")
    return value


def _suppression(where: str, value: Any, today: date) -> Suppression:
    if not isinstance(value, dict) or set(value) - set(_FIELDS):
        raise BadBaseline(f"{where} has other fields than {', '.join(_FIELDS)}")
    given = {name: text.isoformat() if type(text) is date else text for name, text in value.items()}
    for name in _FIELDS:
        text = given.get(name)
        if not isinstance(text, str) or not text.strip() or len(text) > 4096:
            hint = "each one says why, who answers for it, and until when; fill it in or delete it"
            raise BadBaseline(f"{where} has no {name}", hint)
    try:
        expires = date.fromisoformat(given["expires"])
    except ValueError as error:
        raise BadBaseline(f"{where}: expires is not a day such as 2027-01-31") from error
    if expires > today + timedelta(days=BASELINE_DAYS_MAX):
        raise BadBaseline(f"{where} holds longer than {BASELINE_DAYS_MAX} days from today", "look again before then")
    digest = given["sha256"].removeprefix("sha256:").lower()
    if len(digest) != 64 or digest.strip("0123456789abcdef"):
        raise BadBaseline(f"{where}: sha256 is not 64 hexadecimal digits")
    return Suppression(given["rule"], given["path"], digest, given["reason"], given["owner"], expires)
