"""pickle-planted: a constant in a pickle is itself a pickle that would act."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="pickle-planted",
    title="A constant in a pickle is itself a pickle that would act",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0074"),
    why=(
        "A byte string or a text (Base64, hex digits) in the file is a second pickle, and loading that would call what "
        "no honest object needs. Loading this file does not load it, but code that is delivered with it, or a template "
        "or configuration, may: a payload is often carried in one file and set off from another."
    ),
    remediation="Ask the supplier what the constant is for, and read whatever in the release could load it.",
)
