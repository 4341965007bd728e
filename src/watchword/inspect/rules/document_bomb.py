"""document-bomb: a document whose aliases expand without bound. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="document-bomb",
    title="A document expands to far more than it is",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0029",),
    why=(
        "Aliases inside aliases make a small document stand for billions of values: a loader that copies them stops "
        "for lack of memory."
    ),
    remediation="Do not load the document.",
)
