"""config-remote-code: configuration that names code of another repository. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-remote-code",
    title="A configuration makes the loader run code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0010.001", "AML.T0011.001"),
    why=(
        "The configuration names code in another repository, or a compiled kernel that is fetched. What is run is "
        "not part of the release, was not inspected, has no digest here, and may change tomorrow."
    ),
    remediation="Ask the supplier to ship the code with the release, and pin what must be fetched.",
)
