"""pmml-code: A PMML document carries or calls code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.xmls import FUNCTIONS, XmlFacts
from watchword.inspect.rules.rule import Rule

_CLASS = re.compile(
    r"(?:javax?|jdk|sun|com|org|net|io|groovy|scala|os|subprocess|builtins)\.|.*(?:[Rr]untime|[Ss]ystem|exec|eval)"
)


def check(facts: XmlFacts) -> Iterator[Oddity]:
    for offset, text in facts.code if facts.root == "PMML" else ():
        yield Oddity(RULE.id, offset, "carries code in a text or an attribute", text)
    for name, offset in facts.functions.items():
        if name not in FUNCTIONS and name not in facts.defined and _CLASS.match(name):
            yield Oddity(RULE.id, offset, f"calls the function {name!r}", name)


RULE = Rule(
    id="pmml-code",
    title="A PMML document carries or calls code",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "PMML describes a model by standard functions. A function named like a class is loaded by evaluators "
        "written in Java, and scripts in extensions are run by some tools."
    ),
    remediation="Do not load the model. Ask the supplier for one that uses the functions of the standard alone.",
    reads=(XmlFacts,),
    check=check,
)
