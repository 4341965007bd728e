"""compressed-broken: the compressed stream is damaged. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="compressed-broken",
    title="The compressed stream is damaged",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=("Decompression failed before the end. What came before the damage may still be loaded by a streaming reader."),
    remediation="Ask the supplier for an intact file.",
)
