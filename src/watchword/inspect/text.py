"""An inspection as text for people: findings worst first, counts last. Nothing in it can steer a terminal."""

from __future__ import annotations

from watchword.inspect.facts import RANK, Applied, FileReport, Finding, Inspection, Verdict, delivered, shown

_WORST_FIRST = sorted((v for v in Verdict if v is not Verdict.NOTHING_FOUND), key=lambda v: -RANK[v])


def render_text(inspection: Inspection) -> str:
    """The text of *inspection*, without a line feed at the end: findings, then counts and the manifest.

    Columns: ``verdict[rule]``, path and offset, message; the evidence, and the bytes that nobody looked at, follow on
    lines of their own. What a baseline set aside, and what of it has lapsed, stands after the findings.
    """
    rows = []
    reports = {report.path: report for report in inspection.files}
    unread = {path: report for path, report in reports.items() if report.unread}
    loaders = {path: report.facts["loaders"] for path, report in reports.items() if "loaders" in report.facts}
    for finding in inspection.findings:
        aside = [finding.evidence] if finding.evidence and finding.evidence not in finding.message else []
        if finding.verdict is Verdict.UNREADABLE and (report := unread.pop(finding.path, None)) is not None:
            aside.append(_not_looked_at(report))
        aside += _run_by(finding, loaders, reports)
        rows.append((f"{finding.verdict}[{finding.rule}]", _place(finding), finding.message, aside))
    if inspection.baseline is not None:
        rows += _set_aside(inspection.baseline)
    first = min(32, max((len(row[0]) for row in rows), default=0))
    second = min(48, max((len(row[1]) for row in rows), default=0))
    lines = []
    for label, place, message, aside in rows:
        lines.append(f"{label:<{first}}  {place:<{second}}  {message}")
        lines += [f"{'':<{first}}  {line}" for line in aside]
    lines.append(_summary(inspection))
    return "\n".join(lines)


def _place(finding: Finding) -> str:
    place = finding.path if finding.offset is None else f"{finding.path} @ {finding.offset:#x}"
    return shown(place, 200)


def _not_looked_at(report: FileReport) -> str:
    ranges = ", ".join(f"{start:#x} to {end:#x}" for start, end in report.unread[:3])
    more = f" and {len(report.unread) - 3:,} more ranges" if len(report.unread) > 3 else ""
    return f"not looked at: bytes {ranges}{more} of {report.size:,}"


def _run_by(finding: Finding, loaders: dict[str, list[str]], reports: dict[str, FileReport]) -> list[str]:
    """Which loaders would run what a pickle was found to do: said at the first such finding of each file."""
    if finding.verdict is not Verdict.DANGEROUS or not finding.rule.startswith("pickle-"):
        return []
    report = delivered(finding.path, reports)
    told = loaders.pop(report.path, []) if report is not None else []
    return [f"run by {', '.join(told)}"] if told else []


def _set_aside(applied: Applied) -> list[tuple[str, str, str, list[str]]]:
    rows = []
    for one in applied.suppressed:
        aside = [f"until {one.by.expires}, {shown(one.by.owner, 80)}: {shown(one.by.reason, 200)}"]
        rows.append((f"suppressed[{one.finding.rule}]", _place(one.finding), one.finding.message, aside))
    for entry in applied.expired:
        words = f"suppressed until {entry.expires} by {shown(entry.owner, 80)}; counts again"
        rows.append((f"expired[{entry.rule}]", shown(entry.path, 200), words, []))
    return rows


def _summary(inspection: Inspection) -> str:
    count = len(inspection.files)
    told = [f"{n:,} {verdict}" for verdict in _WORST_FIRST if (n := inspection.count(verdict))]
    clean = inspection.count(Verdict.NOTHING_FOUND)
    suppressed = () if inspection.baseline is None else inspection.baseline.suppressed
    if suppressed:
        by_path = {report.path: report for report in inspection.files}
        holds = {report.path: report for one in suppressed if (report := delivered(one.finding.path, by_path))}
        clean -= sum(report.verdict is Verdict.NOTHING_FOUND for report in holds.values())
        told.append(f"{len(suppressed):,} finding{'' if len(suppressed) == 1 else 's'} suppressed")
    if clean or not told:
        told.append(f"nothing found in {clean:,}")
    digest = inspection.manifest.digest if inspection.manifest is not None else "no manifest"
    return f"{count:,} file{'' if count == 1 else 's'}: {', '.join(told)}     {_short(digest)}"


def _short(digest: str) -> str:
    return f"{digest[:11]}…{digest[-4:]}" if digest.startswith("sha256:") else digest
