"""r-start: data of R defines a function that R calls by itself. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="r-start",
    title="Data of R defines a function that R calls by itself",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why="A workspace that defines .First or .Last is run when a session with it starts or ends.",
    remediation="Do not load the workspace. Ask the supplier for the model alone.",
)
