"""weights-low-bits: something is hidden in the low bits of weights."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="weights-low-bits",
    title="Something is hidden in the low bits of weights",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "The lowest bits of the elements carry what no training, rounding or initialisation leaves there: text or "
        "a file, chance below zero bits, or an order in one bit alone. Low bits can be changed without harm to the "
        "model, so programs and keys are smuggled in them; a second file, a few lines long, takes them out again. "
        "An encrypted payload in full-precision weights looks like chance and cannot be told from them."
    ),
    remediation=(
        "Do not use the release. Look for what would read the bits: shipped Python, custom layers, custom "
        "operators. Rounding the weights to a shorter type destroys such a payload."
    ),
)
