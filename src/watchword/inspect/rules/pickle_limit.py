"""pickle-limit: the pickle is larger or stranger than watchword follows. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="pickle-limit",
    title="The pickle is larger or stranger than watchword follows",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Inspection has bounds on time and memory. This stream passed one of them, so the rest of it was not "
        "judged. Honest model files stay far below the bounds; streams built to exhaust a reader do not."
    ),
    remediation="Ask the supplier for the model in a format without code, such as safetensors or ONNX.",
)
