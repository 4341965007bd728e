"""config-object-unknown: a tag, key or target that names an unknown function. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-object-unknown",
    title="A document makes its loader call a function that models do not need",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "Documents that describe models name classes and give them values. Calling a function that no known "
        "framework needs, or that reaches files or the network, depends on code that is not in the document."
    ),
    remediation="Ask the supplier what the function is for, and read its source.",
)
