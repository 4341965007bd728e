"""template-include: a template that includes from outside of its folder. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="template-include",
    title="A template takes in files from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "A template that includes, extends or imports by an absolute path, a path upwards, an address or a computed "
        "name reads files that are not part of the release."
    ),
    remediation="Ask the supplier for the template in one piece.",
)
