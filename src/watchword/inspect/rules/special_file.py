"""special-file: not a regular file. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="special-file",
    title="Not a regular file",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=(),
    why=(
        "Pipes, sockets and devices have no content of their own: what a loader reads from one is decided by "
        "somebody else, at another time."
    ),
    remediation="Deliver regular files only.",
)
