"""document-limit: a document beyond the bounds. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="document-limit",
    title="A document is larger or deeper than is parsed",
    verdict=Verdict.UNREADABLE,
    severity="low",
    confidence="high",
    atlas=("AML.T0029",),
    why="Configuration files met have a few megabytes. This one was not parsed, or not to its end.",
    remediation="Ask the supplier what the document is for.",
)
