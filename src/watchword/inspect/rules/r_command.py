"""r-command: functions saved with data of R run commands or reach files. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="r-command",
    title="Functions saved with data of R run commands or reach files",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.001",),
    why=(
        "Models of R may bring functions along, for predictions for instance. These name functions that run "
        "commands, connect, or change files; calling them does so with the rights of the user."
    ),
    remediation=(
        "Read the functions before anything of the model is called, or ask the supplier for the model without them."
    ),
)
