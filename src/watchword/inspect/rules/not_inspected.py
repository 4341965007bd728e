"""not-inspected: the content is of a format that is not interpreted yet. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="not-inspected",
    title="The content is of a format that is not interpreted yet",
    verdict=Verdict.UNREADABLE,
    severity="low",
    confidence="high",
    atlas=(),
    why=(
        "The file was hashed, but nothing was looked for in it. Formats that a loader may execute, that contain "
        "other files, or that are not known at all are named here and not passed over in silence."
    ),
    remediation=(
        "Look at the file with a tool for its format, or ask the supplier for one that is interpreted: "
        "the manual lists them (docs/reference/formats.md)."
    ),
)
