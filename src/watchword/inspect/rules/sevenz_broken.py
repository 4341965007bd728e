"""sevenz-broken: a 7z archive is damaged or cut short. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="sevenz-broken",
    title="The 7z archive is damaged or cut short",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Readers of 7z archives recover from damage differently: one gives up where another goes on. What cannot be "
        "read here may still be unpacked elsewhere. What could be unpacked was judged."
    ),
    remediation="Ask the supplier for an intact archive.",
)
