"""zip-duplicate: two members of an archive have one name."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule


def check(facts: ZipFacts) -> Iterator[Oddity]:
    seen: dict[str, str] = {}
    for member in facts.members:
        folded = member.name.casefold()
        if folded in seen:
            same = "the same name as" if seen[folded] == member.name else "but for case the name of"
            yield Oddity(RULE.id, member.header, f"{member.name} has {same} another member", seen[folded])
        seen.setdefault(folded, member.name)


RULE = Rule(
    id="zip-duplicate",
    title="Two members of the archive have the same name",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0076", "AML.T0074"),
    why=(
        "Which of two members with one name is loaded depends on the reader: some take the first, some the last. "
        "Both were judged here, but what is loaded is not decided by the file."
    ),
    remediation="Ask the supplier to build the archive again with an ordinary tool.",
    reads=(ZipFacts,),
    check=check,
)
