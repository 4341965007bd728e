"""An inspection as text for people: findings worst first, counts last. Nothing in it can steer a terminal."""

from __future__ import annotations

from watchword.inspect.facts import RANK, Inspection, Verdict, shown

_WORST_FIRST = sorted((v for v in Verdict if v is not Verdict.NOTHING_FOUND), key=lambda v: -RANK[v])


def render_text(inspection: Inspection) -> str:
    """The text of *inspection*, without a line feed at the end: findings, then counts and the manifest.

    Columns: ``verdict[rule]``, path and offset, message; the evidence follows on a line of its own where it says more.
    """
    lines = []
    rows = []
    for finding in inspection.findings:
        place = finding.path if finding.offset is None else f"{finding.path} @ {finding.offset:#x}"
        rows.append((f"{finding.verdict}[{finding.rule}]", shown(place, 200), finding.message, finding.evidence))
    first = min(32, max((len(row[0]) for row in rows), default=0))
    second = min(48, max((len(row[1]) for row in rows), default=0))
    for label, place, message, evidence in rows:
        lines.append(f"{label:<{first}}  {place:<{second}}  {message}")
        if evidence and evidence not in message:
            lines.append(f"{'':<{first}}  {evidence}")
    lines.append(_summary(inspection))
    return "\n".join(lines)


def _summary(inspection: Inspection) -> str:
    count = len(inspection.files)
    told = [f"{n:,} {verdict}" for verdict in _WORST_FIRST if (n := inspection.count(verdict))]
    clean = inspection.count(Verdict.NOTHING_FOUND)
    if clean or not told:
        told.append(f"nothing found in {clean:,}")
    digest = inspection.manifest.digest if inspection.manifest is not None else "no manifest"
    return f"{count:,} file{'' if count == 1 else 's'}: {', '.join(told)}     {_short(digest)}"


def _short(digest: str) -> str:
    return f"{digest[:11]}…{digest[-4:]}" if digest.startswith("sha256:") else digest
