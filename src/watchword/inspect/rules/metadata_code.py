"""metadata-code: A text in the metadata of a model is a command or code. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="metadata-code",
    title="A text in the metadata of a model is a command or code",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0018.002",),
    why=(
        "Metadata names and describes. No loader runs it, but scripts that come with a model may read it and "
        "do so, and nothing else needs a command to stand there."
    ),
    remediation="Ask the supplier what reads the text, or for the model without it.",
)
