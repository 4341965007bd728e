"""python-compiled: compiled Python. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-compiled",
    title="Compiled Python is shipped",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.001",),
    why=(
        "A compiled file is run in place of its source when its header names the time and size of that source, so "
        "what is read need not be what runs. The code in it is not interpreted here; the evidence lists telling "
        "names."
    ),
    remediation="Delete compiled files; Python makes them again from the source.",
)
