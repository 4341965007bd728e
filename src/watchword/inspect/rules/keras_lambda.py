"""keras-lambda: a Keras model carries Python code. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-lambda",
    title="A Keras model carries Python code",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "A Lambda layer holds a function as bytecode, which the loader turns into code and runs when the "
        "model is built or used. The names that it uses only compute, as far as they can be told, but "
        "bytecode can hide what it does, and Keras itself refuses it unless its safe mode is off."
    ),
    remediation=(
        "Ask the supplier for a model whose layers are registered classes, with their source. Never switch "
        "the safe mode off."
    ),
)
