"""Members' positions beside each other, as ``charter compare`` sets them: what passes, and who keeps what from all.

* Those kept in ``positions/`` of the home, one TOML file of each member, make the page; more can be pasted into its
  form, in place of a kept one of the same member. Nothing pasted is kept, and none of it names a file.
* What cannot be read is named, and the rest is compared without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from watchword.errors import WatchwordError
from watchword.limits import COMPARE_MEMBERS_MAX
from watchword.policy import summit
from watchword.policy.compare import compare
from watchword.policy.position import Position, pasted_position, read_position
from watchword.report.board import Board
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked

FOLDER = "positions"
PASTED_MAX = 6
"""Fields of the form. Origin: more nations than that at one table bring files, and the folder takes those."""


class PositionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """``compared``: the object of ``charter compare --format json``; null where fewer than one position can be read."""

    member: str
    as_of: str
    of: list[str]
    verdict: str
    good: bool
    compared: dict[str, Any] | None
    troubles: list[str]
    command: str


def positions(known: Snapshot, asked: Asked) -> PositionsPage:
    """Those that are kept here."""
    return _page(known, asked, {})


def pasted(known: Snapshot, asked: Asked, texts: Mapping[str, str]) -> PositionsPage:
    """Those kept, and those pasted, by the names of their fields."""
    return _page(known, asked, texts)


def board_of(_: Snapshot, asked: Asked) -> Board | None:
    """The comparison as tables."""
    compared = asked.memo.get("compared")
    return None if compared is None else summit.board(compared)


def _page(known: Snapshot, asked: Asked, texts: Mapping[str, str]) -> PositionsPage:
    found: dict[str, Position] = {}
    troubles = []
    files = sorted((known.node.home / FOLDER).glob("*.toml"))[:COMPARE_MEMBERS_MAX]
    reads: list[Any] = [lambda path=path: read_position(path) for path in files]
    reads += [lambda text=text, name=name: pasted_position(text, name) for name, text in texts.items() if text.strip()]
    for read in reads:
        try:
            one: Position = read()
            found[one.member] = one
        except WatchwordError as error:
            troubles.append(error.message)
    compared, told, good = None, "No position is kept here or was pasted.", False
    if found:
        try:
            compared = compare(sorted(found.values(), key=lambda one: one.member))
            drawn = summit.board(compared)
            told, good = drawn.verdict, drawn.kind == "good"
        except WatchwordError as error:
            troubles.append(error.message)
            told = "They cannot be compared."
    asked.memo["compared"] = compared
    return PositionsPage(
        member=known.member, as_of=known.as_of, of=sorted(found), verdict=told, good=good, compared=compared,
        troubles=troubles, command=f"watchword charter compare {FOLDER}/*.toml",
    )  # fmt: skip
