"""gguf-gap: A GGUF file holds bytes that no tensor owns, or that two own. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="gguf-gap",
    title="A GGUF file holds bytes that no tensor owns, or that two own",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Tensors are laid one behind the other, with zeros between. Other bytes are invisible to the loader "
        "and may carry a payload; overlapping tensors make one change another; a reader that refuses an over- "
        "long name and one that cuts it load different models."
    ),
    remediation="Ask the supplier to convert the model again.",
)
