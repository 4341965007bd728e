"""numpy-header: the header of a numpy file is malformed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="numpy-header",
    title="The header of a numpy file is malformed",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The header of a .npy file is a Python literal. numpy parses it as a literal; older or other readers "
        "evaluate it. One that is not exactly the documented dictionary is either damaged or meant for such a "
        "reader."
    ),
    remediation="Ask the supplier for the array again, saved by numpy itself.",
)
