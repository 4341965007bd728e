"""zip-flags: a member claims to be encrypted and is not. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="zip-flags",
    title="A member claims to be encrypted and is not",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Readers that honour the flags of a member refuse it, and scanners with them; loaders that pass over the "
        "flags load it. No writer sets them on plain bytes. The member was judged as it stands."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
)
