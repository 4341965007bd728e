"""notebook-runs: a notebook cell that starts an unusual program. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="notebook-runs",
    title="A cell of a notebook starts a program that notebooks have no need of",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="low",
    atlas=("AML.T0050",),
    why=(
        "Cells install packages, fetch files and convert them. This one starts another program by way of Python, "
        "which runs when somebody runs all cells."
    ),
    remediation="Read the cell before running the notebook.",
)
