"""zip-aside: comments or extra fields of a zip archive hold what no writer puts there."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.entropy import entropy
from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule


def check(facts: ZipFacts) -> Iterator[Oddity]:
    for offset, what, data in facts.aside[:100]:
        words = f"{what}: {len(data):,} bytes that no writer puts there, {entropy(data):.1f} bits a byte"
        yield Oddity(RULE.id, offset, words, data[:16].hex(" "))


RULE = Rule(
    id="zip-aside",
    title="Comments or extra fields of the archive hold bytes that no writer puts there",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.002",),
    why=(
        "Readers pass over comments and over extra fields that they do not know, so that bytes in them travel unseen "
        "beside the model. Writers keep times, owners and padding there and nothing else. The bytes were judged as a "
        "file of their own as well."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
    reads=(ZipFacts,),
    check=check,
)
