"""weights-nan: weights that are no numbers."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="weights-nan",
    title="Weights that are no numbers",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.000",),
    why=(
        "A floating-point tensor holds NaN, or infinities that are no mask. Training that went wrong leaves them, "
        "and so does tampering: a model that answers NaN for some inputs fails where it is relied on, and "
        "comparisons with NaN are false, which switches off checks."
    ),
    remediation=(
        "Ask the supplier which training run made the file and whether it is the one that was evaluated. Do not "
        "use it before it is replaced."
    ),
)
