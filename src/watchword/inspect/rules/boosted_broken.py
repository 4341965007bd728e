"""boosted-broken: A model of boosted trees is not well-formed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="boosted-broken",
    title="A model of boosted trees is not well-formed",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why="The file breaks off, or holds more than its own lengths say, so part of it was not seen.",
    remediation="Ask the supplier to save the model again.",
)
