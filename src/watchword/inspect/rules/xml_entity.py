"""xml-entity: A model in XML declares entities."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.xmls import XmlFacts
from watchword.inspect.rules.rule import Rule


def check(facts: XmlFacts) -> Iterator[Oddity]:
    if facts.entity is not None:
        yield Oddity(RULE.id, facts.entity[0], f"declares {facts.entity[1]}")


RULE = Rule(
    id="xml-entity",
    title="A model in XML declares entities",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "An external entity makes a parser read a file or an address and put it into the document; nested "
        "ones grow without bound. No writer of models declares any."
    ),
    remediation="Do not load the file. Report it to whoever supplied it.",
    reads=(XmlFacts,),
    check=check,
)
