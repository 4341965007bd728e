"""tar-mismatch: a tar archive means one thing to one reader and another to the next. Reported by the reader."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="tar-mismatch",
    title="The tar archive means one thing to one reader and another to the next",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0076", "AML.T0074"),
    why=(
        "The extended header of a member gives another length than its header. Readers that know extended headers and "
        "readers that do not see different members from here on. Writers make the two differ only where the length "
        "does not fit into the header."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
)
