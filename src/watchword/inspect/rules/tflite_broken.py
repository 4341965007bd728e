"""tflite-broken: references inside a model lead out of it. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="tflite-broken",
    title="References inside a model lead out of it",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Interpreters follow offsets, tensor and buffer numbers of such a model in native code. One that "
        "leads out of the file, or a shape that does not fit its buffer, makes a careless one read or write "
        "where it should not."
    ),
    remediation="Do not run the model. Ask the supplier to convert it again.",
)
