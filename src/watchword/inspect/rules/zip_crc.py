"""zip-crc: a member does not match its checksum. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="zip-crc",
    title="A member does not match its checksum",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Some loaders check the CRC-32 of a member and refuse it, others load it unchecked. A wrong one makes "
        "careful scanners stop where careless loaders go on."
    ),
    remediation="Ask the supplier for an intact archive.",
)
