"""zip-short: the zip archive is damaged or cut short. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="zip-short",
    title="The zip archive is damaged or cut short",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Readers of zip archives recover from damage differently: one gives up where another goes on and loads. "
        "What cannot be read here may still run elsewhere."
    ),
    remediation="Ask the supplier for an intact archive.",
)
