"""weights-duplicated: layers that differ in their number hold the same numbers."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="weights-duplicated",
    title="Layers that differ in their number hold the same numbers",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0018.000",),
    why=(
        "Two layers of one model have the same weights to the bit while their siblings differ. Training does not "
        "do that: a layer was copied, to pass one model off as another or as a larger one, or an export went "
        "wrong. Where all siblings are equal they are fresh copies of one layer, and where two names lead to the "
        "same bytes they are tied: neither is a finding."
    ),
    remediation=(
        "Ask the supplier how the model was made from what; a model that was deepened by copying layers should say "
        "so in its card."
    ),
)
