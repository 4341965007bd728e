"""tf-broken: a TensorFlow graph is not a well-formed message. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="tf-broken",
    title="A TensorFlow graph is not a well-formed message",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The protobuf encoding breaks off or contradicts itself, so part of the graph was not seen. A lenient "
        "parser may still make a model of it."
    ),
    remediation="Ask the supplier for an intact file.",
)
