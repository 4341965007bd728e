"""numpy-size: a numpy file is longer or shorter than its header says. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="numpy-size",
    title="A numpy file is longer or shorter than its header says",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Shape and type give the exact number of bytes of an array. Bytes beyond them are not part of it and may "
        "be anything; missing ones mean the file was cut."
    ),
    remediation="Ask the supplier for the array again, saved by numpy itself.",
)
