"""onnx-external-short: a file of tensors is shorter than the model that names it says.

Reported by the release as a whole.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="onnx-external-short",
    title="A file of tensors is shorter than the model that names it says",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The model takes a tensor from behind the end of the file. A careless loader reads what stands "
        "elsewhere in memory, and a careful one does not load the model: it is not what was saved."
    ),
    remediation="Ask the supplier for the whole file.",
)
