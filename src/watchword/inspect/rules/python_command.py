"""python-command: a Python file runs a command of an attack. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-command",
    title="The file runs a command of the kind that attacks are made of",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.001", "AML.T0050"),
    why=(
        "The command fetches something and runs it, hands a shell to the network, makes itself start again later, "
        "or destroys files. That holds whenever the function that has it is called."
    ),
    remediation="Do not run or import the file. Keep it as evidence, and ask the supplier.",
)
