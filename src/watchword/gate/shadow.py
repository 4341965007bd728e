"""What would have happened: the calls that a door decided and did not block.

Follows docs/protocol.md, section 9 (receipts ``shadow``). A decision in shadow is a receipt as any other, durable
before the call goes; it lets nothing go, uses up no quota and holds nothing, so the next one is decided as if it had
not been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.gate.answer import VERDICTS, Answer
from watchword.limits import SHADOW_LINES_MAX


@dataclass
class Shadow:
    """A count by verdict and tool, and the first calls that would not have gone."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def take(self, tool: str, answer: Answer) -> None:
        """Count one call."""
        self._count(answer.verdict, tool, answer.reasons)

    def report(self) -> str:
        """The counts, then the calls that would have waited or been denied."""
        lines = [f"{count:6,}  {verdict:7} {tool}" for (verdict, tool), count in sorted(self.counts.items())]
        return "\n".join([f"{self.counts.total():,} calls in shadow: nothing was blocked", *lines, *self.lines])

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        rows = [
            {"calls": count, "tool": tool, "verdict": verdict}
            for (verdict, tool), count in sorted(self.counts.items())
        ]
        return {"calls": self.counts.total(), "lines": self.lines, "rows": rows, "schema": "watchword-gate-shadow/1"}

    def _count(self, verdict: str, tool: str, reasons: Iterable[str]) -> None:
        self.counts[verdict, tool] += 1
        if verdict != "permit" and len(self.lines) < SHADOW_LINES_MAX:
            self.lines.append(f"{verdict} {tool}: {'; '.join(reasons)}")


def shadow_of(receipts: Iterable[Mapping[str, Any]], since: str = "") -> Shadow:
    """The report of a record's receipts from the time *since* on (RFC 3339; texts of one form, which compare)."""
    found = Shadow()
    for receipt in receipts:
        if receipt["event"] == "shadow" and receipt["time"] >= since:
            would, *reasons = receipt["reasons"]
            found._count(VERDICTS.get(would, "deny"), str((receipt["body"] or {}).get("tool")), reasons)
    return found
