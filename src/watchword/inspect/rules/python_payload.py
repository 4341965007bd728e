"""python-payload: a class whose __reduce__ executes. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="python-payload",
    title="The file makes objects whose unpickling runs commands or code",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002"),
    why=(
        "The method __reduce__ names what unpickling calls. This one names a function that runs commands or code: "
        "whoever saves such an object makes a file that attacks whoever loads it."
    ),
    remediation="Do not use the file, and look at every pickle of the same supplier.",
)
