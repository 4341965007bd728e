"""export-code: an exported program carries text that its loader evaluates as Python."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="export-code",
    title="An exported program carries text that its loader evaluates as Python",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.002", "AML.T0011.000"),
    why=(
        "torch.export.load resolves the targets of nodes by walking attributes, gives symbolic expressions to "
        "sympy.sympify, which evaluates Python, and compiles guards. The writer puts operators, arithmetic on symbols "
        "and comparisons there; this is something else, and it would run."
    ),
    remediation="Do not load the program. Ask the supplier to export it again, or for the weights as safetensors.",
)
