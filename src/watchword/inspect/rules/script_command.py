"""script-command: a shell command of an attack. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="script-command",
    title="A script has a command of the kind that attacks are made of",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011", "AML.T0050"),
    why=(
        "The command fetches something and runs it, hands a shell to the network, makes itself start again later, "
        "or destroys files."
    ),
    remediation="Do not run the script.",
)
