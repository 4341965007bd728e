"""config-target: configuration whose target executes. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-target",
    title="A configuration makes its loader call what executes",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "Hydra, Lightning, MLflow and others import the dotted name in a configuration and call it with the values "
        "beside it. This name runs commands or code, imports by name, or loads a further serialised object."
    ),
    remediation="Do not load the configuration. Keep it as evidence, and ask the supplier.",
)
