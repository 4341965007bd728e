"""zip-mismatch: the two directories of a zip archive disagree."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule


def check(facts: ZipFacts) -> Iterator[Oddity]:
    for offset, member, words in facts.differences[:100]:
        yield Oddity(RULE.id, offset, f"{member} {words}".strip())


RULE = Rule(
    id="zip-mismatch",
    title="The archive means one thing to one reader and another to the next",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0076", "AML.T0074"),
    why=(
        "A zip archive names each member twice: in a header before it and in the directory at the end. Scanners that "
        "check the two against each other stop with an error; loaders that go by one of them go on. Writers never "
        "make them differ."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
    reads=(ZipFacts,),
    check=check,
)
