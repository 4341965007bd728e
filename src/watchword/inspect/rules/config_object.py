"""config-object: a tag or key that makes a loader execute. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-object",
    title="A document makes its loader build an object that executes",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "YAML tags and keys of jsonpickle name what the loader imports, calls or builds. This one runs commands or "
        "code, imports by name, or reaches files or the network, as in a pickle."
    ),
    remediation="Do not load the document but with a safe loader. Keep it as evidence, and ask the supplier.",
)
