"""promptfoo's ``--output results.json`` (results version 3): one result for each prompt, provider and test.

``success`` and no error of the run is a pass; ``failureReason`` 2 (or an ``error`` where nothing was graded) is an
error and passes nothing. The totals in ``stats`` are compared with the results that are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from watchword.evaluate.imports.report import BadReport, Bytes, Measured, Report, checked, count, mapping, rows, said

NAME = "promptfoo"
_FAILED_TO_RUN = 2
"""``failureReason`` of a test that broke; 1 is an assertion that did not hold, 0 none."""


def claims(value: Any) -> bool:
    """Whether *value* is an output of promptfoo."""
    inner = value.get("results") if isinstance(value, dict) else None
    return isinstance(inner, dict) and "results" in inner and ("stats" in inner or "evalId" in value)


def read(file: Bytes, value: Any) -> Report:
    """The counts per provider.

    Raises:
        BadReport: malformed, of another version, or its totals are not those of its results.
    """
    what = file.path.name
    body = mapping(value.get("results"), f"{what}: results")
    if body.get("version") != 3:
        raise BadReport(f"{what}: results version {said(body.get('version'), 20)!r}; 3 is read")
    outcomes: dict[str, Counter[str]] = {}
    for number, entry in enumerate(rows(body.get("results"), f"{what}: results"), 1):
        result = mapping(entry, f"{what}: result {number}")
        provider = result.get("provider")
        name = said(provider.get("id") if isinstance(provider, dict) else provider, 200) or "unnamed"
        outcomes.setdefault(name, Counter())[_outcome(result)] += 1
    if not outcomes:
        raise BadReport(f"{what}: no result")
    total = sum(outcomes.values(), Counter[str]())
    if "stats" in body:
        stats = mapping(body["stats"], f"{what}: stats")
        stated = tuple(count(stats.get(name, 0), f"{what}: {name}") for name in ("successes", "failures", "errors"))
        if stated != (total["good"], total["bad"], total["error"]):
            seen = f"{total['good']}, {total['bad']} and {total['error']}"
            told = f"{stated[0]} passed, {stated[1]} failed, {stated[2]} broke"
            raise BadReport(f"{what}: its totals say {told}; its results say {seen}")
    metadata = value.get("metadata")
    version = said(metadata.get("promptfooVersion"), 40) if isinstance(metadata, dict) else ""
    return Report(
        NAME, "promptfoo", version, file.digest(), ", ".join(outcomes)[:400],
        measured=checked(
            (
                Measured(f"promptfoo tests of {name}", "pass-rate", got["good"], sum(got.values()), got["error"])
                for name, got in sorted(outcomes.items())
            ),
            what,
        ),
    )  # fmt: skip


def _outcome(result: Mapping[str, Any]) -> str:
    if result.get("failureReason") == _FAILED_TO_RUN or (result.get("error") and not result.get("gradingResult")):
        return "error"
    return "good" if result.get("success") is True and not result.get("error") else "bad"
