"""config-trusts-code: configuration that consents to remote code on the user's behalf. Reported by the reader that
met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-trusts-code",
    title="A configuration asks to trust the code of what it loads",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.001",),
    why=(
        "Whether code that comes with a model is run is the decision of who loads it. A release that brings the "
        "consent with it takes that decision away."
    ),
    remediation="Remove the setting, and decide on the code after reading it.",
)
