"""keras-custom-function: a layer of a Keras model calls a function that is not in the file.

Reported by the reader that met it.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-custom-function",
    title="A layer of a Keras model calls a function that is not in the file",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.001",),
    why=(
        "A Lambda layer names a function of a module that is not part of Keras. Whatever is found under that "
        "name when the model is loaded is imported and called."
    ),
    remediation="Ask the supplier for the source of the function, and inspect it.",
)
