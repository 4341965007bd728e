"""keras-asset: a Keras layer reads a file beside the model. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-asset",
    title="A Keras layer reads a file beside the model",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0010.003",),
    why=(
        "A lookup layer names a file for its vocabulary instead of holding the words. The file is opened "
        "relative to where the program runs, not to the model."
    ),
    remediation="Ask the supplier to save the model with the vocabulary inside.",
)
