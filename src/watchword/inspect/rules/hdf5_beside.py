"""hdf5-beside: A Keras file takes data from files beside it. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="hdf5-beside",
    title="A Keras file takes data from files beside it",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.003",),
    why=(
        "Keras writes its weights into one file. One that names another takes whatever stands there when it "
        "is loaded, from wherever the program runs (CVE-2026-1669 and its kind)."
    ),
    remediation="Ask the supplier for a file that holds its data itself.",
)
