"""safetensors-gap: a safetensors file holds bytes that no tensor owns. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="safetensors-gap",
    title="A safetensors file holds bytes that no tensor owns",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Tensors must cover the data area without gaps or overlaps. Bytes outside of them are invisible to a "
        "loader and may carry a payload; overlapping tensors make one write change another."
    ),
    remediation="Ask the supplier to save the file again with the reference library.",
)
