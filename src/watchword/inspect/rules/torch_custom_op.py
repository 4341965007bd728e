"""torch-custom-op: a PyTorch program needs operators that PyTorch does not bring."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="torch-custom-op",
    title="A program of PyTorch needs operators that are native code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "Operators that PyTorch and its well-known libraries register are known. Any other operator or class is a "
        "shared library that the user is asked to load: native code that is not part of what was inspected."
    ),
    remediation="Ask the supplier for the source of the operator library, or for a model without it.",
)
