"""A member's draft position: what it accepts of the rows on the table, on which conditions, and what it proposes.

    member = "BRAVO"
    operator = "ALFA-IT"              # who runs its machines, where that is not the member: quorums count operators
    table = ["alliance"]              # packs whose rows are on the table, by name or file
    otherwise = "accept"              # rows of the table that are not named below; left out: no word on them

    [[row]]
    id = "two-inspections"
    stance = "accept if"              # accept, accept or stricter, accept or looser, accept if, refuse
    no_looser_than = { count = 3 }
    no_stricter_than = { max_age_days = 30 }
    with = ["legal-review"]           # only where this row stands in the charter too
    reason = "two of our laboratories share an operator"

    [[requirement]]                   # proposed, in the form of a pack; so is [[red_line]]
    id = "drilled"                    # ... and all else that a row of a pack says
    instead_of = ["human-factors-review"]

A pack is a position too: its ``name`` is the member, and what it holds is accepted as written. A whole row may carry a
``stance`` of its own, so that an annotated copy of the table will do.

* Silence is no consent: a row that is not named, with no ``otherwise``, is *open*.
* On a scale that ``accept if`` does not name, only the value on the table is accepted; on one that it names, anything
  from there on. ``or stricter`` and ``or looser`` hold for every scale of the row (``strictness``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from watchword.errors import WatchwordError
from watchword.policy.pack import Pack, checked_line, checked_row, find_pack, shipped_pack
from watchword.policy.strictness import LOOSEST, STRICTEST, Scale, Strict, limits_on, points
from watchword.policy.use_case import read_toml, toml_of

Stance = Literal["accept", "accept or stricter", "accept or looser", "accept if", "refuse"]


class BadPosition(WatchwordError):
    """A position of another form than stated here, or on a row that nobody put on the table. Names file and row."""


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    stance: Stance = "accept"
    of: str | None = None
    reason: str = ""
    with_: list[str] = msgspec.field(default_factory=list, name="with")
    no_looser_than: dict[str, Any] = {}
    no_stricter_than: dict[str, Any] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    member: str = ""
    operator: str = ""
    name: str = ""
    title: str = ""
    standing: dict[str, list[str]] = {}
    table: list[str] = []
    otherwise: Literal["accept", "accept or stricter", "accept or looser", "refuse", "open"] = "open"
    row: list[_Row] = []
    requirement: list[dict[str, Any]] = []
    red_line: list[dict[str, Any]] = []


OWN = frozenset({"stance", "of", "reason", "with", "no_looser_than", "no_stricter_than"})
"""What a whole row in a position may say beside what a pack's row says; ``instead_of`` too."""


@dataclass(frozen=True)
class Word:
    """What a member says of one row: ``of`` names whose version, where it matters."""

    stance: Stance
    of: str | None = None
    reason: str = ""
    with_: tuple[str, ...] = ()
    no_looser_than: Mapping[str, Any] = field(default_factory=dict)
    no_stricter_than: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Position:
    """One member's file. ``rows``: what it proposes; ``replaces``: ids of rows that a proposal is instead of."""

    member: str
    operator: str
    path: str
    packs: tuple[Pack, ...]
    otherwise: str
    words: tuple[tuple[str, Word], ...]
    rows: tuple[dict[str, Any], ...]
    replaces: Mapping[str, tuple[str, ...]]
    standing: Mapping[str, list[str]]


@dataclass(frozen=True)
class Box:
    """The versions of a row that somebody accepts: from how strict to how strict, on each scale.

    ``other`` is for a scale that another version has and the one spoken of has not.
    """

    intervals: Mapping[Scale, tuple[Strict, Strict]]
    other: tuple[Strict, Strict]

    def on(self, scale: Scale) -> tuple[Strict, Strict]:
        """From how strict to how strict on *scale*."""
        return self.intervals.get(scale, self.other)

    def holds(self, scale: Scale, strict: Strict) -> bool:
        """Whether a version this *strict* on *scale* is accepted."""
        low, high = self.on(scale)
        return low <= strict <= high


def read_position(path: Path) -> Position:
    """Read a position file.

    Raises:
        BadPosition, BadPack: not of the form stated here; names file and row.
    """
    return _position(read_toml(path, BadPosition), str(path), lambda name: find_pack(name, path.parent))


def pasted_position(text: str, where: str) -> Position:
    """The position in *text* that somebody sent, called *where* in errors: packs of its table are shipped ones alone.

    Raises:
        BadPosition, BadPack: as ``read_position``.
    """
    return _position(toml_of(text, Path(where), BadPosition), where, shipped_pack)


def _position(value: dict[str, Any], path: str, pack: Callable[[str], Pack]) -> Position:
    try:
        file = msgspec.convert(value, _File, strict=True)
    except msgspec.ValidationError as error:
        raise BadPosition(f"{path}: {error}", "docs/howto/positions.md shows the form") from error
    member = file.member or file.name
    if not member:
        raise BadPosition(f"{path}: it does not say whose position it is", 'begin with member = "NAME"')
    rows: list[dict[str, Any]] = []
    words = [(one.id, _word(one, f"{path}: row {one.id[:80]}")) for one in file.row]
    replaces: dict[str, tuple[str, ...]] = {}
    whole = (("requirement", checked_row, file.requirement), ("red line", checked_line, file.red_line))
    for heading, check, given in whole:
        for number, one in enumerate(given, 1):
            where = f"{path}: {heading} {number}"
            row = check({name: said for name, said in one.items() if name not in (*OWN, "instead_of")}, where)
            word = _own(one, row["id"], where, file.otherwise)
            if word.stance == "refuse":
                words.append((row["id"], word))
                continue
            rows.append(row)
            words.append((row["id"], replace(word, of=member)))
            replaces[row["id"]] = _replaced(one.get("instead_of", []), where)
    packs = tuple(pack(name) for name in file.table)
    return Position(
        member, file.operator or member, path, packs, file.otherwise, tuple(words), tuple(rows), replaces,
        file.standing,
    )  # fmt: skip


def box(word: Word, row: Mapping[str, Any], where: str) -> Box:
    """The versions that *word* accepts, spoken of *row*. *where* names file and row in an error.

    Raises:
        BadPosition: a limit that is no scale of the row, or a looser one above a stricter one.
    """
    here = {scale: (point.strict, point.strict) for scale, point in points(row).items()}
    if word.stance == "accept or stricter":
        return Box({scale: (low, STRICTEST) for scale, (low, _) in here.items()}, (LOOSEST, STRICTEST))
    if word.stance == "accept or looser":
        return Box({scale: (LOOSEST, high) for scale, (_, high) in here.items()}, (LOOSEST, LOOSEST))
    try:
        low, high = limits_on(row, word.no_looser_than), limits_on(row, word.no_stricter_than)
    except (KeyError, ValueError) as error:
        kind = "is no scale of this row" if isinstance(error, KeyError) else "has another value than its scale"
        raise BadPosition(
            f"{where}: {error.args[0]} {kind}", "scales: count, tools, max_age_days, criticality, and bound or forbid"
        ) from error
    for scale in {*low, *high}:
        here[scale] = (
            low[scale].strict if scale in low else LOOSEST,
            high[scale].strict if scale in high else STRICTEST,
        )
        if here[scale][0] > here[scale][1]:
            raise BadPosition(f"{where}: {scale}: no looser than {low[scale]} is stricter than {high[scale]}")
    return Box(here, (LOOSEST, LOOSEST))


def table_of(positions: Sequence[Position]) -> tuple[Pack, ...]:
    """The packs that are on the table, each once, in the order in which positions name them."""
    return tuple({pack.name: pack for position in positions for pack in position.packs}.values())


def _word(row: _Row, where: str) -> Word:
    limits = bool(row.no_looser_than or row.no_stricter_than)
    if row.stance == "accept if" and not (limits or row.with_):
        raise BadPosition(f"{where}: accept if, and no condition", "say no_looser_than, no_stricter_than or with")
    if row.stance != "accept if" and limits:
        raise BadPosition(f"{where}: limits belong to the stance accept if", f"the stance is {row.stance}")
    return Word(row.stance, row.of, row.reason, tuple(row.with_), row.no_looser_than, row.no_stricter_than)


def _own(one: Mapping[str, Any], id: str, where: str, otherwise: str) -> Word:
    default = otherwise if otherwise.startswith("accept") else "accept"
    said = {"stance": default, "id": id} | {name: one[name] for name in OWN if name in one}
    try:
        row = msgspec.convert(said, _Row, strict=True)
    except msgspec.ValidationError as error:
        raise BadPosition(f"{where} ({id[:80]}): {error}") from error
    return _word(row, f"{where} ({id[:80]})")


def _replaced(ids: Any, where: str) -> tuple[str, ...]:
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise BadPosition(f"{where}: instead_of is a list of ids")
    return tuple(ids)
