"""weights-dead: most weight matrices are one constant."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="weights-dead",
    title="Most weight matrices are one constant",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.000",),
    why=(
        "More than two thirds of the matrices hold a single value. Such a file computes nothing that was learnt: "
        "it is a placeholder, a failed export, or a model whose weights were removed. Single matrices of zeros are "
        "ordinary (adapters begin so) and only noted."
    ),
    remediation="Compare with the supplier's own digest, and evaluate the release before any use.",
)
