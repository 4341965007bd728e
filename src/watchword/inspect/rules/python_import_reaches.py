"""python-import-reaches: importing a Python file would reach further than an import needs to. Reported by the reader
that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-import-reaches",
    title="Importing the file would reach the network, files outside, or native code",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.001",),
    why=(
        "Code that a loader imports has no need to connect, to install packages, to load native libraries, to run "
        "text that is put together, to read keys or passwords, or to write outside of its folder while it is "
        "imported. Honest files do such things in functions, when asked."
    ),
    remediation="Read the line that the finding names. Ask the supplier to do it in a function, or not at all.",
)
