"""coreml-custom: A Core ML model needs a class that is not in it."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.coreml import CoremlFacts
from watchword.inspect.rules.rule import Rule


def check(facts: CoremlFacts) -> Iterator[Oddity]:
    for name, offset in facts.custom.items():
        yield Oddity(RULE.id, offset, f"needs the class {name!r}", name)


RULE = Rule(
    id="coreml-custom",
    title="A Core ML model needs a class that is not in it",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "Custom layers and custom models name a class of the program that runs them: native code that is not "
        "part of what was inspected."
    ),
    remediation="Ask the supplier for the source of the class, or for a model without it.",
    reads=(CoremlFacts,),
    check=check,
)
