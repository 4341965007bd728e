"""python-startup: a file that runs at every start of Python. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-startup",
    title="The file runs whenever Python starts",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.001",),
    why=(
        "Python imports sitecustomize and usercustomize, and executes lines of .pth files that begin with import, "
        "at every start, whatever program it then runs. A release has no reason to ship one."
    ),
    remediation="Delete the file before the folder comes near a Python path, and ask the supplier why it is there.",
)
