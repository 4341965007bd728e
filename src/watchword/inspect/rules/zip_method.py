"""zip-method: a member is packed in a way that is not read here. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="zip-method",
    title="A member is packed in a way that is not read here",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Stored, deflate, bzip2 and LZMA are read. Any other method leaves the member unseen, although a loader "
        "with another library may unpack it."
    ),
    remediation="Ask the supplier to store the members, or to deflate them.",
)
