"""torchserve-outside: a model archive runs or loads something that is not in it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="torchserve-outside",
    title="The model archive names a handler or file that is not in it",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0010.003",),
    why=(
        "TorchServe imports the handler that the manifest names and loads the files that it names. What is not in the "
        "archive comes from the machine that serves it, and was not inspected."
    ),
    remediation="Ask the supplier for an archive that holds all that it names.",
)
