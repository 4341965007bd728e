"""config-missing-code: configuration that names a Python file which was not delivered. Reported by the reader that
met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="config-missing-code",
    title="A configuration names code that is not in the release",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.001", "AML.T0011.001"),
    why=(
        "A loader that trusts the release imports the file that the configuration names. It was not delivered with "
        "it, so nobody looked at what would be run."
    ),
    remediation="Ask the supplier for the whole release, and inspect the folder as a whole.",
)
