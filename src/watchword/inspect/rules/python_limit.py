"""python-limit: a Python file that takes more work than is done. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-limit",
    title="The Python file is more involved than is followed",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0011.001",),
    why=(
        "Names and texts of a source are worked out within a bound. Honest sources take a small part of it; one "
        "that takes it all may have been made to."
    ),
    remediation="Read the file, or ask the supplier for one that can be read.",
)
