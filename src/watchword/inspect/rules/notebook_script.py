"""notebook-script: a notebook whose outputs have a script of an attack. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="notebook-script",
    title="A notebook has a script that sends or decodes",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011",),
    why=(
        "A notebook that is trusted runs the scripts in its outputs and texts when it is opened. Plots have scripts "
        "too; this one sends something away, runs cells, or decodes what it runs."
    ),
    remediation="Clear all outputs before opening the notebook, and ask the supplier.",
)
