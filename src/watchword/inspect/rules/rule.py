"""What a rule is. One rule = one file, named after its id; its page in ``docs/rules`` is made from its own words.

Most rules are a *check*: facts in, oddities out. Some have none: then a reader of a format reports the oddity itself,
under the rule's id, at the place where it could not go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from watchword.inspect.facts import Finding, Oddity, Verdict, shown

ATLAS = "5.6.0"
"""Version of MITRE ATLAS data that the technique ids of the rules refer to."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for.

    ``reads`` is the type of facts that ``check`` is given. ``atlas`` lists technique ids without their version.
    Severity: info, low, medium, high, critical. Confidence: low, medium, high.
    """

    id: str
    title: str
    verdict: Verdict
    severity: str
    confidence: str
    atlas: tuple[str, ...]
    why: str
    remediation: str
    reads: tuple[type, ...] = ()
    check: Callable[[Any], Iterable[Oddity]] | None = None

    def finding(self, path: str, oddity: Oddity) -> Finding:
        """The finding that *oddity* is, at *path*."""
        return Finding(
            rule=self.id,
            severity=self.severity,
            confidence=self.confidence,
            verdict=self.verdict,
            path=path,
            offset=oddity.offset,
            message=shown(oddity.message),
            evidence=shown(oddity.evidence),
            atlas=tuple(f"{technique}@{ATLAS}" for technique in self.atlas),
        )

    def page(self) -> str:
        """The rule as a page of Markdown."""
        techniques = ", ".join(f"{technique}@{ATLAS}" for technique in self.atlas) or "none"
        return (
            f"# {self.id}\n\n{self.title}.\n\n"
            f"| verdict | severity | confidence | MITRE ATLAS |\n|---|---|---|---|\n"
            f"| {self.verdict} | {self.severity} | {self.confidence} | {techniques} |\n\n"
            f"## Why\n\n{self.why}\n\n## What to do\n\n{self.remediation}\n"
        )
