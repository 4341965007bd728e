"""torchscript-broken: code of a PyTorch archive cannot be read as its loader reads it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="torchscript-broken",
    title="Code of a PyTorch archive cannot be read",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0076",),
    why=(
        "What a program does is known by the operators that it names. This part of it could not be read as a program; "
        "a loader with another parser may read it."
    ),
    remediation="Ask the supplier to export the model again with a released version of PyTorch.",
)
