"""template-limit: a template beyond the bounds. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="template-limit",
    title="A template is larger or deeper than is parsed",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0029",),
    why="Templates met have a few thousand characters. This one was not judged, or not to its end.",
    remediation="Replace the template by the one of the original model.",
)
