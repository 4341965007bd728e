"""executorch-outside: an ExecuTorch file holds bytes that the program does not use."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="executorch-outside",
    title="The file holds bytes that its program does not use",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "The exporter ends the file with its last segment. What follows is read by nothing in the runtime, and travels "
        "with the model unseen. The bytes were judged as a file of their own as well."
    ),
    remediation="Ask the supplier what the bytes are, or to export the program again.",
)
