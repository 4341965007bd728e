"""r-broken: data of R cannot be followed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="r-broken",
    title="Data of R cannot be followed",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why="The file breaks off, or holds what R does not write, so a part of it was not seen; R itself may read on.",
    remediation="Ask the supplier to save the object again.",
)
