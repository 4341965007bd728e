"""python-conceals: a Python file runs code that was decoded or downloaded. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-conceals",
    title="The file runs code that it hides or downloads",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.001", "AML.T0018.002"),
    why=(
        "What is executed was decoded from a text, unmarshalled, put together from numbers, or downloaded. There is "
        "no honest reason in a release to hide code from its reader, and code that is downloaded is not what was "
        "inspected."
    ),
    remediation="Do not run or import the file. Keep it as evidence, and ask the supplier.",
)
