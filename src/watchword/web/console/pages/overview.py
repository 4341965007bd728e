"""Status: what may this member use, what lapses, what does it owe, who waits for it, what is in trouble."""

from __future__ import annotations

import msgspec

from watchword.account.status import Line
from watchword.statements.digests import DJ
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked, address


class StatusLine(msgspec.Struct, frozen=True, kw_only=True):
    """``good`` only where it is good news; ``address``: the page of what it is about, where there is one."""

    what: str
    why: str
    who: str
    when: str
    good: bool
    address: str | None


class StatusSection(msgspec.Struct, frozen=True, kw_only=True):
    """``empty``: what it means that no line is here."""

    id: str
    heading: str
    empty: str
    lines: list[StatusLine]


class StatusPage(msgspec.Struct, frozen=True, kw_only=True):
    """``yes``: everything used is admitted, and nothing is in trouble. ``fresh``: nothing came since it was made; one
    that is being made again does not say yes."""

    member: str
    alliance: str
    as_of: str
    yes: bool
    fresh: bool
    verdict: str
    sections: list[StatusSection]
    command: str


IDS = ("use", "lapses", "owes", "waits", "trouble")
"""Of the sections that are always there."""


def status(known: Snapshot, _: Asked) -> StatusPage:
    """The page of the day, made again when anything came or a minute passed."""
    made = known.status()
    found, fresh = made.status, made.fresh
    pages = {
        f"{use.subject.name} for {use.use_case['name']}": address(
            "/admissions/{digest}/{use}", digest=use.subject.digest, use=DJ(dict(use.use_case))
        )
        for use in made.uses
    }

    def line(one: Line) -> StatusLine:
        at = next((page for name, page in pages.items() if one.what == name or one.what.endswith(f", {name}")), None)
        return StatusLine(
            what=one.what, why=one.why, who=one.who, when=one.when, good=one.good,
            address=at or next((page for name, page in pages.items() if one.what.startswith(f"{name}:")), None),
        )  # fmt: skip

    ids = [*IDS, *(["recalls"] if found.recalls else []), *(["opinions"] if found.opinions else [])]
    refused = sum(not one.good for one in found.use)
    verdict = f"{len(found.use) - refused} of {len(found.use)} uses are admitted; {len(found.trouble)} in trouble."
    return StatusPage(
        member=found.member, alliance=known.charter.alliance, as_of=found.as_of, yes=found.yes and fresh, fresh=fresh,
        verdict=verdict if fresh else f"Something came since {found.as_of}: this page is being made again.",
        sections=[
            StatusSection(id=id, heading=heading, empty=empty, lines=[line(one) for one in lines])
            for id, (heading, empty, lines) in zip(ids, found.sections(), strict=True)
        ],
        command="watchword status",
    )  # fmt: skip
