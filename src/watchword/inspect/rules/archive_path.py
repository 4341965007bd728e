"""archive-path: a member of an archive would be unpacked outside of its folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.sevenz import SevenFacts
from watchword.inspect.formats.tars import TarFacts
from watchword.inspect.formats.zips import ZipFacts
from watchword.inspect.rules.rule import Rule

_ROOTED = re.compile(r"^[/\\]|^[A-Za-z]:|[\x00-\x1f\x7f]")
_PARENT = re.compile(r"(?:^|[/\\])\.\.[. ]*(?:[/\\]|$)")
"""Windows drops dots and spaces at the end of a name: there, ``.. `` leads out as well."""


def check(facts: ZipFacts | TarFacts | SevenFacts) -> Iterator[Oddity]:
    found = list(_entries(facts))
    links = {name.strip("/"): target for name, target, _, hard in found if target and not hard}
    for name, target, offset, hard in found:
        if _ROOTED.search(name) or _PARENT.search(name):
            yield Oddity(RULE.id, offset, f"{name} would be unpacked outside of its folder")
        elif target and _leads_out(name, target, hard):
            yield Oddity(RULE.id, offset, f"{name} links to {target}")
        elif links and (through := _through(name, links)):
            yield Oddity(RULE.id, offset, f"{name} would be unpacked through the link {through}", links[through])


def _entries(facts: ZipFacts | TarFacts | SevenFacts) -> Iterator[tuple[str, str, int, bool]]:
    """Name, target where it is a link, offset, and whether the link is hard."""
    for member in facts.members:
        if isinstance(facts, ZipFacts):
            yield member.name, facts.links.get(member.name, ""), member.header, False
        else:
            target = getattr(member, "link", "")
            yield member.name, target, member.header, getattr(member, "kind", "") == "1"


def _leads_out(name: str, target: str, hard: bool) -> bool:
    """A symbolic link's target counts from the folder of the link, a hard link's from the archive's root."""
    if _ROOTED.search(target):
        return True
    base = "" if hard else posixpath.dirname(name)
    whole = posixpath.normpath(posixpath.join(base, target.replace("\\", "/")))
    return whole == ".." or whole.startswith("../")


def _through(name: str, links: dict[str, str]) -> str:
    """The link that is a folder on the way to *name*; empty when there is none."""
    at = name.find("/")
    while at >= 0:
        if name[:at] in links:
            return name[:at]
        at = name.find("/", at + 1)
    return ""


RULE = Rule(
    id="archive-path",
    title="A member would be unpacked outside of its folder",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "An absolute path, a path through .., or a link that leads out makes a careless unpacker write wherever the "
        "archive says: over a start-up file, a key or a library. So does a member that is unpacked through a link of "
        "the archive itself."
    ),
    remediation="Do not unpack the archive. Ask the supplier to build it again with relative paths.",
    reads=(ZipFacts, TarFacts, SevenFacts),
    check=check,
)
