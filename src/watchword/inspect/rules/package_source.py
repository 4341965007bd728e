"""package-source: a list of packages with a doubtful source. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="package-source",
    title="Packages are taken from a source that nobody vouches for",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0010.001",),
    why=(
        "Installing what the list names takes code over a connection that can be changed on the way, from a host "
        "that is not checked, or from an address of its own past the package index."
    ),
    remediation="Install from an index that you trust, with hashes.",
)
