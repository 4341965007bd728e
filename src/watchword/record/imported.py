"""What another tool's report says, as statements: an ``evaluation`` for each count, an ``inspection`` of what it found.

* Only what was counted or found is signed. A number without counts is its author's claim, and a scanner's silence is no
  inspection: it names files, not bytes.
* A report that its tool did not finish is not signed at all.
* The attachment is our reading of the report, with its digest: reports carry paths of the machine they were made on.
* Whose report it is cannot be told from it: the member that signs answers for where it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.chance import interval_text
from watchword.errors import WatchwordError
from watchword.limits import EVALUATION_INSTANCES_MAX, IMPORT_STATEMENTS_MAX, STATEMENT_FINDINGS_MAX
from watchword.statements.canonical import canonical

if TYPE_CHECKING:
    from watchword.evaluate.imports import Measured, Report
    from watchword.node import Node, Recorded
    from watchword.statements.statement import Subject


class NothingToSign(WatchwordError):
    """A report from which no evidence follows."""


def record_report(
    node: Node, report: Report, subject: Subject, threat: dict[str, str], *, person: str | None = None,
    scope: str | list[str] = "alliance",
) -> list[Recorded]:  # fmt: skip
    """Sign what *report* counts and found about the release *subject*, and append it.

    Args:
        threat: ``goal``, ``knowledge`` and ``capability`` of the attacker, as the evaluator puts them.

    Raises:
        NothingToSign: unfinished, or nothing counted or found. WatchwordError: as ``Node.sign_and_append``.
    """
    if report.unfinished:
        raise NothingToSign(f"the report is not finished: {report.unfinished}", "run the tool to its end")
    if not report.measured and not report.found:
        hint = "numbers without counts belong in the supplier's claim" if report.claimed else "silence is no inspection"
        raise NothingToSign(f"the {report.format} report counts and finds nothing", hint)
    if len(report.measured) > IMPORT_STATEMENTS_MAX:
        raise NothingToSign(f"{len(report.measured):,} results, at most {IMPORT_STATEMENTS_MAX:,} are signed at once")
    attached = node.attach("report.json", "application/json", canonical(report.to_json()))
    signed = [
        node.sign_and_append(
            "evaluation", (subject,), _evaluation(report, one, threat, attached), person=person, scope=scope
        )
        for one in report.measured
    ]
    if report.found:
        fields = _inspection(report, attached)
        signed.append(node.sign_and_append("inspection", (subject,), fields, person=person, scope=scope))
    return signed


def _evaluation(report: Report, one: Measured, threat: dict[str, str], attached: dict[str, Any]) -> dict[str, Any]:
    if one.n > EVALUATION_INSTANCES_MAX:
        raise NothingToSign(
            f"{one.method}: {one.n:,} instances, at most {EVALUATION_INSTANCES_MAX:,} are reckoned with"
        )
    low, high = interval_text(one.k, one.n)
    return {
        "tool": {"name": report.tool, "version": report.version or "unknown"},
        "method": one.method, "threat": dict(threat), "metric": one.metric, "n": one.n, "k": one.k,
        "low": low, "high": high, "seed": "", "data": None, "plan": None, "drawn": None, "environment": None,
        "cpu_s": None, "flags": None, "report": attached,
    }  # fmt: skip


def _inspection(report: Report, attached: dict[str, Any]) -> dict[str, Any]:
    verdicts = [one.verdict for one in report.found]
    ordered = sorted(report.found, key=lambda one: one.verdict != "dangerous")
    return {
        "tool": {"name": report.tool, "version": report.version or "unknown", "rules": "the tool's own"},
        "verdict": "dangerous" if "dangerous" in verdicts else "suspicious",
        "files": report.looked_at, "bytes": 0,
        "dangerous": len({one.path for one in report.found if one.verdict == "dangerous"}),
        "suspicious": len({one.path for one in report.found if one.verdict == "suspicious"}),
        "unreadable": report.unread,
        "findings": [
            {"rule": one.rule, "verdict": one.verdict, "path": one.path, "offset": None, "message": one.message}
            for one in ordered[:STATEMENT_FINDINGS_MAX]
        ],
        "report": attached,
    }  # fmt: skip
