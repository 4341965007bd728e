"""coreml-broken: A Core ML model is not a well-formed message. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="coreml-broken",
    title="A Core ML model is not a well-formed message",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why="The protobuf encoding breaks off or contradicts itself, so part of the model was not seen.",
    remediation="Ask the supplier for an intact file.",
)
