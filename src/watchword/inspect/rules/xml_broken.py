"""xml-broken: A model in XML is not well-formed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="xml-broken",
    title="A model in XML is not well-formed",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The document breaks a rule of XML, so part of it was not seen. A lenient reader may still make a model of it."
    ),
    remediation="Ask the supplier for an intact file.",
)
