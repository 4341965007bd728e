"""pmml-function: A PMML document calls a function that it does not define."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.xmls import FUNCTIONS, XmlFacts
from watchword.inspect.rules.rule import Rule


def check(facts: XmlFacts) -> Iterator[Oddity]:
    for name, offset in facts.functions.items():
        if name and name not in FUNCTIONS and name not in facts.defined:
            yield Oddity(RULE.id, offset, f"calls the function {name!r}, which is not defined", name)


RULE = Rule(
    id="pmml-function",
    title="A PMML document calls a function that it does not define",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0018.001",),
    why=(
        "The function is neither one of the standard nor defined in the document. What it does is decided by "
        "whoever runs the model."
    ),
    remediation="Ask the supplier what the function is, or for a model without it.",
    reads=(XmlFacts,),
    check=check,
)
