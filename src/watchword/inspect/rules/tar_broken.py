"""tar-broken: the tar archive is damaged or cut short. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="tar-broken",
    title="The tar archive is damaged or cut short",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "A header does not match its checksum or a member ends after the file. Readers of tar archives recover "
        "from damage differently."
    ),
    remediation="Ask the supplier for an intact archive.",
)
