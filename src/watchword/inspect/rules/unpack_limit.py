"""unpack-limit: unpacking stopped at a limit. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="unpack-limit",
    title="Unpacking stopped at a limit",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0029",),
    why=(
        "A small file can unpack to more than any disk holds, and archives can be nested without end. Inspection "
        "stops at stated limits of size, ratio, number and depth; what lies beyond was not judged."
    ),
    remediation="Ask the supplier for the content unpacked.",
)
