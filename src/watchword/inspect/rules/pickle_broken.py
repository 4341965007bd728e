"""pickle-broken: the pickle cannot be read to its end. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="pickle-broken",
    title="The pickle cannot be read to its end",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "A loader runs a pickle while it reads it: everything before the break has already happened when the "
        "error comes. Broken files are also used to make scanners give up. What stands before the break was "
        "judged and is reported on its own; what stands after it could not be."
    ),
    remediation="Ask the supplier for an intact file. Do not load it to see what happens.",
)
