"""Inspections as JUnit XML, for build servers: a suite for each path, a case for each file.

A finding that fails the command fails its file; what could not be read is an error of it. A file whose findings are
all suppressed, or too mild for ``--fail-on``, passes and says so. No times: the same files give the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from watchword.inspect.facts import Finding, Inspection, Verdict, delivered


def junit(inspections: Sequence[Inspection], fails: Sequence[str]) -> str:
    """The XML of *inspections*; *fails* are the verdicts that fail the command."""
    suites = ElementTree.Element("testsuites", name="watchword inspect")
    totals = dict.fromkeys(("tests", "failures", "errors"), 0)
    for one in inspections:
        counts = _suite(suites, one, fails)
        for name, count in counts.items():
            totals[name] += count
    for name, count in totals.items():
        suites.set(name, str(count))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _suite(suites: ElementTree.Element, inspection: Inspection, fails: Sequence[str]) -> dict[str, int]:
    suite = ElementTree.SubElement(suites, "testsuite", name=inspection.target)
    by_path = {report.path: report for report in inspection.files}
    cases = {report.path: (report.format, report.looked) for report in inspection.files}
    found: dict[str, list[Finding]] = {}
    for finding in inspection.findings:
        report = delivered(finding.path, by_path)
        path = finding.path if report is None else report.path
        cases.setdefault(path, ("name", "the name"))
        found.setdefault(path, []).append(finding)
    told: dict[str, list[str]] = {}
    for one in () if inspection.baseline is None else inspection.baseline.suppressed:
        report = delivered(one.finding.path, by_path)
        words = f"suppressed until {one.by.expires} by {one.by.owner}: {one.by.reason}"
        told.setdefault("" if report is None else report.path, []).append(f"{_line(one.finding)}\n  {words}")
    counts = {"tests": len(cases), "failures": 0, "errors": 0}
    for path, (format_, looked) in cases.items():
        case = ElementTree.SubElement(suite, "testcase", classname=f"watchword.{format_}", name=path)
        its = found.get(path, [])
        bad = [finding for finding in its if str(finding.verdict) in fails]
        if bad:
            unread = all(finding.verdict is Verdict.UNREADABLE for finding in bad)
            counts["errors" if unread else "failures"] += 1
            tag = "error" if unread else "failure"
            fault = ElementTree.SubElement(case, tag, type=bad[0].rule, message=bad[0].message)
            fault.text = "\n".join(_line(finding) for finding in its)
        lines = [looked, *([] if bad else [_line(finding) for finding in its]), *told.get(path, [])]
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    for name, count in counts.items():
        suite.set(name, str(count))
    return counts


def _line(finding: Finding) -> str:
    place = finding.path if finding.offset is None else f"{finding.path} @ {finding.offset:#x}"
    evidence = f"\n  {finding.evidence}" if finding.evidence and finding.evidence not in finding.message else ""
    return f"{finding.verdict}[{finding.rule}] {place}: {finding.message}{evidence}"
