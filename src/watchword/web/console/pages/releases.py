"""Systems and releases: what its supplier claims, what the charter asks, what speaks for and against it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import msgspec

from watchword.policy.pack import PRINCIPLES
from watchword.web.console.holdings import Placed, UsedFor
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Link, Paged, Told, paged, told
from watchword.web.console.table import Asked, NotFound, address

EVIDENCE = ("inspection", "evaluation", "opinion", "data-screening", "bill-of-materials", "review", "endpoint")


class UseOf(msgspec.Struct, frozen=True, kw_only=True):
    """A use case for which somebody decided on a release: the newest decision's verdict, and where it stands."""

    name: str
    owner: str
    verdict: str
    by: str
    decided: str
    address: str


class ReleaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One release in the list: ``statements`` about it that this reader may see."""

    digest: str
    name: str
    suppliers: list[str]
    statements: int
    uses: list[UseOf]
    address: str


class ReleasesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The releases that anything is said about, by name."""

    member: str
    as_of: str
    find: str
    paged: Paged
    releases: list[ReleaseRow]


class Argued(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement of the charter: what it asks, and which statements about this release are of its kind."""

    id: str
    text: str
    kind: str
    count: int
    accountable: str
    evidence: list[str]


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """A principle, and the requirements by which the charter argues for it."""

    letter: str
    name: str
    requirements: list[Argued]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A statement about the release, and what was said about that: replies, bad news against it."""

    told: Told
    replies: list[str]
    against: list[str]


class ReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Claim, argument, evidence; which uses; how to take it home and check it there."""

    member: str
    as_of: str
    digest: str
    name: str
    claims: list[Evidence]
    argument: list[Argument]
    evidence: list[Evidence]
    uses: list[UseOf]
    notices: list[Told]
    others: list[Told]
    trace: Link | None
    bundle: str
    commands: list[str]


def releases(known: Snapshot, asked: Asked) -> ReleasesPage:
    """Every release, or those whose name or digest contains what is looked for."""
    find = asked.query.get("find", "")
    own = _is_own(known, asked)
    found, count = known.held.releases(asked.reader, find, asked.page)
    rows = [
        ReleaseRow(
            digest=one.digest, name=one.name, suppliers=list(one.suppliers), statements=one.statements,
            uses=_uses(one.digest, one.uses) if own else [], address=address("/releases/{digest}", digest=one.digest),
        )
        for one in found
    ]  # fmt: skip
    where = paged(asked.page, count)
    return ReleasesPage(member=known.member, as_of=known.as_of, find=find, paged=where, releases=rows)


def release(known: Snapshot, asked: Asked) -> ReleasePage:
    """One release.

    Raises:
        NotFound: nothing is said about it that this reader may see.
    """
    digest = asked.path["digest"]
    about = _about(known, asked, digest)
    if not about:
        raise NotFound(f"{digest}: nothing is said about this release", "ask the member who named it for a bundle")
    name = known.held.name_of(digest) or about[0].statement.subject[0].name
    against = _notices(known, asked, digest)
    evidence = [one for one in about if one.statement.kind in EVIDENCE]
    claims = [one for one in about if one.statement.kind == "claim"]
    shown = {one.statement.id for one in (*evidence, *claims)}
    return ReleasePage(
        member=known.member, as_of=known.as_of, digest=digest, name=name,
        claims=[_with(known, asked, one) for one in claims],
        argument=_argument(known, evidence + claims),
        evidence=[_with(known, asked, one) for one in sorted(evidence, key=_kind)],
        uses=_uses(digest, known.held.uses(digest)) if _is_own(known, asked) else [],
        notices=[told(one) for one in against],
        others=[told(one) for one in about if one.statement.id not in shown],
        trace=Link(name="Whose word it rests on", address=address("/traces/{id}", id=digest))
        if _is_own(known, asked)
        else None,
        bundle=address("/bundles/releases/{digest}", digest=digest),
        commands=[
            f"watchword ledger no-notice {digest} --output no-notice.json",
            "python verify.py charter.json no-notice.json",
            f"watchword statement list {shlex.quote(digest)}",
        ],
    )  # fmt: skip


def _uses(digest: str, uses: Iterable[UsedFor]) -> list[UseOf]:
    return [
        UseOf(
            name=use.name, owner=use.owner, verdict=use.verdict, by=use.by, decided=use.decided,
            address=address("/admissions/{digest}/{use}", digest=digest, use=use.use),
        )
        for use in uses
    ]  # fmt: skip


def _is_own(known: Snapshot, asked: Asked) -> bool:
    return asked.reader.member == known.member


def _about(known: Snapshot, asked: Asked, digest: str) -> list[Placed]:
    return [one for one in known.held.about(digest) if one.is_for(asked.reader, known.member)]


def _notices(known: Snapshot, asked: Asked, digest: str) -> list[Placed]:
    return [one for one in known.held.against(f"release:{digest}") if one.is_for(asked.reader, known.member)]


def _argument(known: Snapshot, there: list[Placed]) -> list[Argument]:
    by_kind: dict[str, list[str]] = {}
    for one in there:
        by_kind.setdefault(one.statement.kind, []).append(one.locator)
    return [
        Argument(
            letter=letter, name=name,
            requirements=[
                Argued(
                    id=row.id, text=row.text, kind=row.kind, count=row.count, accountable=row.accountable,
                    evidence=by_kind.get(row.kind, []),
                )
                for row in known.charter.requirements if letter in row.principle
            ],
        )
        for letter, name in PRINCIPLES.items()
        if any(letter in row.principle for row in known.charter.requirements)
    ]  # fmt: skip


def _with(known: Snapshot, asked: Asked, one: Placed) -> Evidence:
    against = [
        f"{other.statement.kind} by {other.statement.issuer}: {other.statement.predicate.get('reason', '')}"
        for other in known.held.against(f"statement:{one.statement.id}")
        if other.holder is not None and other.is_for(asked.reader, known.member)
    ]  # fmt: skip
    beside = known.held.beside(one.statement.id)
    replies = [f"{reply.issuer}: {reply.predicate.get('text', '')}" for reply in beside.replies]
    return Evidence(told=told(one), replies=replies if asked.reader.member == known.member else [], against=against)


def _kind(one: Placed) -> int:
    return EVIDENCE.index(one.statement.kind)
