"""keras-lambda-call: a Keras model carries Python code that reaches beyond computing.

Reported by the reader that met it.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-lambda-call",
    title="A Keras model carries Python code that reaches beyond computing",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "The bytecode in a Lambda layer uses names that execute, import, connect, read files or reach into "
        "running objects. Loading or using the model runs it with the rights of the user."
    ),
    remediation="Do not load the model. Report it to whoever supplied it.",
)
