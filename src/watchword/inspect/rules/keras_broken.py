"""keras-broken: a Keras configuration cannot be read. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-broken",
    title="A Keras configuration cannot be read",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The text that says how to build the model is not JSON, or a part of it cannot be decoded, so what "
        "building it would do is not known."
    ),
    remediation="Ask the supplier to save the model again.",
)
