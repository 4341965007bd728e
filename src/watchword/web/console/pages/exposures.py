"""Exposure at home: what of this member's stops when something falls, and on how few things many uses hang.

Asked of the node's catalog, of nobody else; for own people alone.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from watchword.limits import CONSOLE_ROWS
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.shelf import NoShelf
from watchword.web.console.table import Asked, address

if TYPE_CHECKING:
    from sqlalchemy import Connection


class HitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A release that is hit: ``chain`` leads from what falls to what the release has of it."""

    digest: str
    name: str
    supplier: str
    chain: list[str]
    address: str


class StoppedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a release that is hit; it stops where it was ``admitted``."""

    release: str
    use: str
    owner: str
    verdict: str
    locator: str
    address: str


class Fallen(msgspec.Struct, frozen=True, kw_only=True):
    """What is hit; of long lists the first rows, and how many there are. ``unseen``: releases without a bill of
    materials here. ``cut``: longer chains were not followed."""

    matched: list[str]
    releases: list[HitRow]
    releases_total: int
    uses: list[StoppedRow]
    uses_total: int
    stopped: int
    unseen: int
    cut: bool


class Few(msgspec.Struct, frozen=True, kw_only=True):
    """``things`` whose loss stops ``stopped`` of ``uses``; ``exact``: no fewer do, else no fewer than ``at_least``."""

    asked: int
    uses: int
    things: list[str]
    stopped: int
    at_least: int
    exact: bool


class ExposurePage(msgspec.Struct, frozen=True, kw_only=True):
    """``trouble``: why there is no answer to what was asked. ``hit`` and ``few`` only where that was asked for."""

    member: str
    as_of: str
    of: str
    stops: int | None
    verdict: str
    trouble: str | None
    hint: str | None
    hit: Fallen | None
    few: Few | None
    commands: list[str]


def exposure(known: Snapshot, asked: Asked) -> ExposurePage:
    """What is hit by ``of``, and the smallest set that stops ``stops`` uses."""
    from watchword.errors import WatchwordError

    of, stops = asked.query.get("of", "").strip(), asked.query.get("stops")
    count = int(stops) if stops else None
    hit, few, trouble = None, None, None
    try:
        with known.shelf.reading() as connection:
            hit = _hit(connection, of) if of else None
            few = _few(connection, count) if count else None
    except WatchwordError as error:
        if not isinstance(error, NoShelf) and not _is_answer(error):
            raise
        trouble = error
    return ExposurePage(
        member=known.member, as_of=known.as_of, of=of, stops=count, verdict=_verdict(of, hit, few), hit=hit, few=few,
        trouble=trouble.message if trouble else None, hint=(trouble.hint or None) if trouble else None,
        commands=[
            *([f"watchword exposure {shlex.quote(of)}"] if of else []),
            *([f"watchword exposure --stops {count}"] if count else []),
        ] or ["watchword catalog update"],
    )  # fmt: skip


def _is_answer(error: Exception) -> bool:
    from watchword.account.concentration import TooFewUses
    from watchword.account.exposure import NothingNamed

    return isinstance(error, NothingNamed | TooFewUses)


def _hit(connection: Connection, of: str) -> Fallen:
    from watchword.account.exposure import exposure as found_by
    from watchword.account.exposure import wanted

    found = found_by(connection, of, [wanted(of)], limit=CONSOLE_ROWS, chains=CONSOLE_ROWS)
    return Fallen(
        matched=[f"{one.sort} {one.told()}" for one in found.matched[:CONSOLE_ROWS]],
        releases=[
            HitRow(
                digest=one.digest, name=one.name, supplier=one.supplier, chain=list(one.chain),
                address=address("/releases/{digest}", digest=one.digest),
            )
            for one in found.releases
        ],
        releases_total=found.releases_total,
        uses=[
            StoppedRow(
                release=one.release_name or one.release, use=one.name or one.use_case, owner=one.owner,
                verdict=one.verdict, locator=one.locator,
                address=address("/admissions/{digest}/{use}", digest=one.release, use=one.use_case),
            )
            for one in sorted(found.uses, key=lambda use: use.verdict != "admitted")[:CONSOLE_ROWS]
        ],
        uses_total=len(found.uses), stopped=len(found.stopped), unseen=found.unseen, cut=found.cut,
    )  # fmt: skip


def _few(connection: Connection, stops: int) -> Few:
    from watchword.account.concentration import hanging, smallest

    found = smallest(hanging(connection), stops)
    return Few(
        asked=found.asked, uses=found.uses, things=list(found.things), stopped=found.stopped, exact=found.exact,
        at_least=found.at_least,
    )  # fmt: skip


def _verdict(of: str, hit: Fallen | None, few: Few | None) -> str:
    """In one sentence."""
    parts = []
    if hit is not None:
        parts.append(f"{of}: {hit.releases_total:,} releases are hit, {hit.stopped:,} admitted uses stop")
    if few is not None:
        open_ = "no fewer do" if few.exact else f"whether {few.at_least:,} or more but fewer than these do is open"
        parts.append(f"{len(few.things):,} components stop {few.stopped:,} of {few.uses:,} admitted uses; {open_}")
    return ". ".join(parts)
