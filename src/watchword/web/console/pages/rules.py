"""The charter in force and those before and after it; what one changes in another; which norms its rows serve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import msgspec

from watchword.charter.charter import Charter, CharterFile, KeyHolder, parse_charter_file, read_charter_file
from watchword.charter.difference import asked as asked_of
from watchword.charter.difference import differences
from watchword.charter.lint import lint
from watchword.policy.coverage import coverage
from watchword.policy.norm import shipped
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked, NotFound, address


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """A party of the charter, and how many people have keys in it."""

    name: str
    operator: str
    supplier: bool
    people: list[str]


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement or a red line. ``asks``: how many of which kind from whom; empty for a red line."""

    id: str
    text: str
    asks: str
    accountable: str
    principle: list[str]
    waiver: bool


class CharterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A charter kept here. ``state``: ``in force``, ``former``, ``next``."""

    version: int
    digest: str
    effective: str
    state: str
    address: str
    compare: str | None


class CharterPage(msgspec.Struct, frozen=True, kw_only=True):
    """The charter in force."""

    member: str
    as_of: str
    alliance: str
    version: int
    digest: str
    effective: str
    quorum: dict[str, int]
    parties: list[MemberRow]
    requirements: list[RuleRow]
    red_lines: list[RuleRow]
    complaints: list[str]
    charters: list[CharterRow]
    commands: list[str]


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is another."""

    where: str
    what: str


class ComparisonPage(msgspec.Struct, frozen=True, kw_only=True):
    """Two charters beside each other: what changes, and what it takes to put the second in force."""

    member: str
    as_of: str
    before: str
    after: str
    changes: list[ChangeRow]
    asked: list[str]
    command: str


class CoveragePage(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of which norms the charter's rows serve; the object is that of ``policy coverage``."""

    member: str
    as_of: str
    of: str
    coverage: dict[str, Any]
    command: str


def charter(known: Snapshot, _: Asked) -> CharterPage:
    """Parties, rows, versions."""
    of = known.charter
    return CharterPage(
        member=known.member, as_of=known.as_of, alliance=of.alliance, version=of.version, digest=of.digest,
        effective=of.effective,
        quorum={name: int(getattr(of.quorum, name)) for name in ("ratify", "witness", "faulty")},
        parties=[
            *(
                MemberRow(name=one.name, operator=one.operator, supplier=False, people=_people(one.keys))
                for one in of.members
            ),
            *(
                MemberRow(name=one.name, operator="a supplier", supplier=True, people=_people(one.keys))
                for one in of.suppliers
            ),
        ],
        requirements=[
            RuleRow(
                id=row.id, text=row.text, asks=f"{row.count} {row.kind} from {row.from_}", accountable=row.accountable,
                principle=list(row.principle), waiver=row.waiver is not None,
            )
            for row in of.requirements
        ],
        red_lines=[
            RuleRow(
                id=row.id, text=row.text, asks="", accountable=row.accountable, principle=list(row.principle),
                waiver=False,
            )
            for row in of.red_lines
        ],
        complaints=[f"{one.id}: {one.what}" for one in lint(of)],
        charters=[
            CharterRow(
                version=one.version, digest=one.digest, effective=one.effective, state=state,
                address=address("/charters/{digest}", digest=one.digest),
                compare=None
                if one.digest == of.digest
                else address("/charters/{digest}/{other}", **_in_order(of, one)),
            )
            for state, one in charters(known)
        ],
        commands=["watchword charter show", "watchword charter lint"],
    )  # fmt: skip


def comparison(known: Snapshot, asked: Asked) -> ComparisonPage:
    """Two charters kept here.

    Raises:
        NotFound: one of them is not kept here.
    """
    kept = {one.digest: one for _, one in charters(known)}
    before, after = kept.get(asked.path["digest"]), kept.get(asked.path["other"])
    if before is None or after is None:
        raise NotFound("one of these charters is not kept here", "paste it into the form of the charter's page")
    return compared(known, before, after)


def pasted(known: Snapshot, data: bytes) -> ComparisonPage:
    """The charter in force beside one that somebody pasted; nothing of it is kept.

    Raises:
        BadCharter: it is none.
    """
    return compared(known, known.charter, parse_charter_file(data.strip(), "the charter pasted").charter)


def compared(known: Snapshot, before: Charter, after: Charter) -> ComparisonPage:
    """What *after* changes in *before*."""
    return ComparisonPage(
        member=known.member, as_of=known.as_of, before=_called(before), after=_called(after),
        changes=[ChangeRow(**asdict(one)) for one in differences(before, after)],
        asked=asked_of(before, after) if after.parent == before.digest else [],
        command=f"watchword charter adopt charter-{after.version}.json",
    )  # fmt: skip


def policy(known: Snapshot, _: Asked) -> CoveragePage:
    """Every norm that comes with watchword and that some row names."""
    of = known.charter
    return CoveragePage(
        member=known.member, as_of=known.as_of, of=f"charter {of.version} of {of.alliance}",
        coverage=coverage(of.value["requirements"], of.value["red_lines"], shipped()),
        command="watchword policy coverage",
    )  # fmt: skip


def charters(known: Snapshot) -> list[tuple[str, Charter]]:
    """Those kept in this home, newest first, each with its state."""
    home, found = known.node.home, [("in force", known.charter)]
    for path in [*sorted(home.glob("charter-[0-9]*.json")), home / "charter.next.json"]:
        if path.is_file():
            file: CharterFile = read_charter_file(path)
            found.append(("next" if path.stem.endswith("next") else "former", file.charter))
    return sorted(found, key=lambda one: -one[1].version)


def _people(keys: Iterable[KeyHolder]) -> list[str]:
    return sorted(f"{one.person} ({', '.join(one.roles)})" for one in keys if one.person and one.retired_by is None)


def _in_order(of: Charter, other: Charter) -> dict[str, str]:
    first, second = sorted((of, other), key=lambda one: one.version)
    return {"digest": first.digest, "other": second.digest}


def _called(one: Charter) -> str:
    return f"charter {one.version} of {one.alliance} ({one.digest[:19]}…)"


def charter_file(known: Snapshot, digest: str) -> tuple[str, bytes]:
    """The file of a charter kept here, and its name: what ``verify.py`` is given.

    Raises:
        NotFound: it is not kept here.
    """
    home = known.node.home
    for path in (home / "charter.json", home / "charter.next.json", *home.glob("charter-[0-9]*.json")):
        if path.is_file() and read_charter_file(path).charter.digest == digest:
            return f"charter-{read_charter_file(path).charter.version}.json", path.read_bytes()
    raise NotFound("no charter of this digest is kept here")
