"""zip-outside: a zip archive holds bytes that no record owns."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule


def check(facts: ZipFacts) -> Iterator[Oddity]:
    for start, end in facts.outside[:100]:
        where = "before the first member" if start == 0 else "between or after the members"
        yield Oddity(RULE.id, start, f"{end - start:,} bytes {where} belong to no record")


RULE = Rule(
    id="zip-outside",
    title="The archive holds bytes that belong to no record",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002", "AML.T0074"),
    why=(
        "Readers of zip archives ignore bytes before, between and after the records. A file can so be an archive to "
        "one loader and a pickle or a program to another, or carry members that the directory does not list. The "
        "bytes were judged as a file of their own as well."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
    reads=(ZipFacts,),
    check=check,
)
