"""python-unparsed: Python that does not parse and has words of an attack. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-unparsed",
    title="Python that does not parse seems to run commands or code",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="low",
    atlas=("AML.T0011.001",),
    why=(
        "The file is of another grammar than that of Python 3 here, so it was read for words only. Words that run "
        "commands or hidden code stand in it where importing would reach them."
    ),
    remediation="Read the line that the finding names.",
)
