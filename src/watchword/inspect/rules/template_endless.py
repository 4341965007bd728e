"""template-endless: a template of more rounds than any conversation needs. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="template-endless",
    title="A template keeps its renderer busy",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0029",),
    why=(
        "Rendering goes more rounds, or makes a longer text, than any conversation needs: a server that renders it "
        "stands still."
    ),
    remediation="Replace the template by the one of the original model.",
)
