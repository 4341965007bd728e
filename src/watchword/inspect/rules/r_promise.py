"""r-promise: data of R runs an expression when it is looked at. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="r-promise",
    title="Data of R runs an expression when it is looked at",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "A promise is an expression that R evaluates as soon as its value is wanted. One that was put into a "
        "saved object runs when somebody loads it and looks (CVE-2024-27322); saving an honest object never "
        "makes one there."
    ),
    remediation="Do not load the file. Report it to whoever supplied it.",
)
