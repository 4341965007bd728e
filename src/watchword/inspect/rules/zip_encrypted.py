"""zip-encrypted: a member is encrypted. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="zip-encrypted",
    title="A member is encrypted",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why="What is encrypted cannot be inspected without its password; whoever loads it has the password.",
    remediation="Ask the supplier for the content unencrypted.",
)
