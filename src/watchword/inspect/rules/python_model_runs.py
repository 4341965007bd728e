"""python-model-runs: model code that starts programs or executes text. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-model-runs",
    title="The code of the model starts programs or runs text as code",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.001",),
    why=(
        "Code that a loader takes as the definition of a model, a configuration or a tokenizer is run with every "
        "load and every call. It computes; starting programs and executing text is no part of that."
    ),
    remediation="Read the line that the finding names, and ask the supplier for a model without it.",
)
