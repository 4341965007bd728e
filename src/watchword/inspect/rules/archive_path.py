"""archive-path: a member of an archive would be unpacked outside of its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tars import TarFacts, TarMember
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule

_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|[\x00-\x1f\x7f]")


def check(facts: ZipFacts | TarFacts) -> Iterator[Oddity]:
    for member in facts.members:
        link = member.link if isinstance(member, TarMember) else ""
        if _UNSAFE.search(member.name):
            yield Oddity(RULE.id, member.header, f"{member.name} would be unpacked outside of its folder")
        elif link and _UNSAFE.search(link):
            yield Oddity(RULE.id, member.header, f"{member.name} links to {link}")


RULE = Rule(
    id="archive-path",
    title="A member would be unpacked outside of its folder",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "An absolute path, a path through .., or a link that leads out makes a careless unpacker write wherever the "
        "archive says: over a start-up file, a key or a library."
    ),
    remediation="Do not unpack the archive. Ask the supplier to build it again with relative paths.",
    reads=(ZipFacts, TarFacts),
    check=check,
)
