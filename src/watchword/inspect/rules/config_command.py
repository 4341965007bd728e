"""config-command: configuration with a command of an attack. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-command",
    title="A configuration holds a command that attacks are made of",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0050",),
    why=(
        "A value that is named as a command fetches something and runs it, hands a shell to the network, or "
        "destroys files. Whether it is run depends on the tool that reads it."
    ),
    remediation="Ask the supplier what the command is for.",
)
