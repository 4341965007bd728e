"""python-import: importing a Python file would start programs or send things away. Reported by the reader that met
it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-import",
    title="Importing the file would start programs, or send away what it finds",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.001", "AML.T0010.001"),
    why=(
        "A Python file of a release is imported by a loader that trusts the release, by a test run, or by hand. "
        "Importing runs what stands at its top, in class bodies, decorators and defaults, and the functions that "
        "those call. This file would start a program, write where programs are started from, or send away what it "
        "finds on the machine, before anything is asked of it."
    ),
    remediation=(
        "Do not import the file, and do not load the release with trust_remote_code. Ask the supplier what the call "
        "is for."
    ),
)
