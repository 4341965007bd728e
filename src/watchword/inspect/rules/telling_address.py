"""telling-address: an address of a tunnel, a catcher or a bare number. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="telling-address",
    title="The file names an address of the kind that nobody answers for",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0025",),
    why=(
        "A bare public address, a tunnel, a request catcher, a paste site or a chat webhook is where stolen data "
        "goes and where payloads come from. Honest releases name hosts that somebody answers for."
    ),
    remediation="Ask the supplier what the address is for.",
)
