"""What an inspection says: verdicts, findings, reports on files. Values only; the JSON form is ``schema.json``.

* Verdicts, from best to worst: nothing-found, suspicious, unreadable, dangerous. What could not be read is worse than
  what looks odd, because it may be anything.
* ``nothing-found`` is said only of what was looked at; it proves nothing about what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from watchword.limits import EVIDENCE_CHARS_MAX
from watchword.statements.manifest import Manifest

if TYPE_CHECKING:
    from datetime import date

Progress = Callable[[str, int, int], None]
"""Called with a label, the bytes done and the bytes in all."""

SCHEMA = "watchword-inspection/1"


class Verdict(StrEnum):
    """What is said of a file, or of a whole release."""

    NOTHING_FOUND = "nothing-found"
    SUSPICIOUS = "suspicious"
    UNREADABLE = "unreadable"
    DANGEROUS = "dangerous"


RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}
"""Verdicts by badness: 0 is nothing-found, 3 is dangerous."""


def worst(verdicts: Any) -> Verdict:
    """The worst of an iterable of verdicts; nothing-found of none."""
    return max(verdicts, key=RANK.__getitem__, default=Verdict.NOTHING_FOUND)


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something a reader of a format stumbled over. ``rule`` is the id of the rule that judges it."""

    rule: str
    offset: int | None
    message: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``offset`` is in bytes from the start of ``path`` (inside an archive: of the unpacked member)."""

    rule: str
    severity: str
    confidence: str
    verdict: Verdict
    path: str
    offset: int | None
    message: str
    evidence: str
    atlas: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "confidence": self.confidence,
            "verdict": str(self.verdict),
            "path": self.path,
            "offset": self.offset,
            "message": self.message,
            "evidence": self.evidence,
            "atlas": list(self.atlas),
        }


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was looked at in one delivered file.

    ``sha256`` is null when hashing was switched off or the file could not be read. ``unread`` lists the byte ranges
    ``(start, end)`` that no rule looked at although they may matter. ``facts`` feeds the bill of materials:
    ``frameworks``, ``tensors``, ``opsets`` … as the formats tell them.
    """

    path: str
    size: int
    sha256: str | None
    format: str
    verdict: Verdict
    looked: str
    notes: tuple[str, ...] = ()
    unread: tuple[tuple[int, int], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "format": self.format,
            "verdict": str(self.verdict),
            "looked": self.looked,
            "notes": list(self.notes),
            "unread": [list(r) for r in self.unread],
            "facts": self.facts,
        }


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of a baseline: a rule, the paths, the digest of the file; why, who answers for it, until when."""

    rule: str
    path: str
    sha256: str
    reason: str
    owner: str
    expires: date

    def to_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("rule", "path", "sha256", "reason", "owner")}
        return told | {"expires": self.expires.isoformat()}


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that does not count, and the entry that says so."""

    finding: Finding
    by: Suppression

    def to_json(self) -> dict[str, Any]:
        answers = {"reason": self.by.reason, "owner": self.by.owner, "expires": self.by.expires.isoformat()}
        return self.finding.to_json() | answers


@dataclass(frozen=True, slots=True)
class Applied:
    """What a baseline did: the findings it set aside, the entries that have lapsed (their findings count again), and
    those that fit nothing here. ``digest`` is that of its file."""

    digest: str
    suppressed: tuple[Suppressed, ...]
    expired: tuple[Suppression, ...]
    unused: tuple[Suppression, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "suppressed": [one.to_json() for one in self.suppressed],
            "expired": [one.to_json() for one in self.expired],
            "unused": [one.to_json() for one in self.unused],
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """The outcome for one target. ``manifest`` is None where the release cannot be named; a finding says why.

    ``findings`` are those that count; what a baseline set aside is in ``baseline``.
    """

    target: str
    verdict: Verdict
    manifest: Manifest | None
    findings: tuple[Finding, ...]
    files: tuple[FileReport, ...]
    tool: dict[str, Any]
    baseline: Applied | None = None

    def count(self, verdict: Verdict) -> int:
        """Files with this verdict."""
        return sum(1 for report in self.files if report.verdict is verdict)

    def _repr_html_(self) -> str:
        """What a notebook shows where this is the value of a cell."""
        from watchword.inspect.text import render_text
        from watchword.report.cell import cell

        return cell(render_text(self))

    def to_json(self) -> dict[str, Any]:
        """The documented form (``schema.json``): plain JSON values, findings worst first."""
        manifest = None
        if self.manifest is not None:
            manifest = {
                "digest": self.manifest.digest,
                "files": len(self.manifest.entries),
                "bytes": self.manifest.size,
            }
        value = {
            "schema": SCHEMA,
            "tool": dict(self.tool),
            "target": self.target,
            "manifest": manifest,
            "verdict": str(self.verdict),
            "findings": [finding.to_json() for finding in self.findings],
            "files": [report.to_json() for report in self.files],
        }
        return value if self.baseline is None else value | {"baseline": self.baseline.to_json()}


def delivered(path: str, by_path: dict[str, FileReport]) -> FileReport | None:
    """The report on the delivered file that *path* (``a.zip:b.pkl``) stands in; None for what is no file."""
    end = len(path)
    while end >= 0:
        report = by_path.get(path[:end])
        if report is not None:
            return report
        end = path.rfind(":", 0, end)
    return None


def shown(text: str, length: int = EVIDENCE_CHARS_MAX) -> str:
    """*text* on one line, cut to *length*, with control characters and what is not Unicode made visible."""
    cut = text[: length + 1]
    if not (cut.isascii() and cut.isprintable()):
        safe = cut.encode(errors="backslashreplace").decode()
        cut = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)
    return cut if len(text) <= length else cut[: length - 1] + "…"
