"""names-outside: a configuration that names a path outside of the folder. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="names-outside",
    title="A configuration names a file outside of the release",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0010.003"),
    why=(
        "A path that is absolute or leads upwards makes a loader read, or import, what lies elsewhere on the "
        "machine that loads."
    ),
    remediation="Do not load the release. Ask the supplier for one that names its own files.",
)
