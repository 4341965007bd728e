"""template-escape: a template that leads out of itself. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="template-escape",
    title="A template leads out into the program that renders it",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002"),
    why=(
        "A template is rendered with every message. From any value in it, attributes with two underscores, the attr "
        "filter and names put together from pieces lead to the classes, globals and modules of the program around "
        "it, and so to commands. Renderers without a sandbox run that (CVE-2024-34359); those with one depend on it "
        "having no hole."
    ),
    remediation=(
        "Do not load the model with this template. Replace it by the one of the original model, and ask the supplier."
    ),
)
