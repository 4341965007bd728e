"""shards-differ: an index of weights that names missing files. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="shards-differ",
    title="The parts of the weights are not those that the index names",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The index names a file that was not delivered, or that lies outside of the folder. What a loader would put "
        "in its place was not looked at."
    ),
    remediation="Ask the supplier for the whole release, and inspect the folder as a whole.",
)
