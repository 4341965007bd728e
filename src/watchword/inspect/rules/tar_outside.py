"""tar-outside: a tar archive holds bytes that belong to no member. Reported by the reader that met them."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="tar-outside",
    title="The tar archive holds bytes that belong to no member",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Writers fill the last block of a member and the end of the archive with zeros. Other bytes there, or between "
        "members, are passed over by one reader and taken up by another. They were judged as a file of their own."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
)
