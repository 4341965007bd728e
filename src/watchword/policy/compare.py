"""Members' draft positions set beside each other: what all accept, what k accept, who blocks what, what can pass.

1. Every version of a row that a pack or a member puts on the table; versions of one shape stand on common scales.
2. For each row the versions that as many members as possible accept together: on each scale it is enough to try where
   somebody's acceptance begins or ends and where the version on the table stands (all sets of members that accept some
   version are found so, because moving a version to the nearest such place loses nobody).
3. What passes. *Row by row* a row passes when members of k operators accept one version of it. *As a whole* a table
   passes when the same members, of k operators, accept every row in it, as ratifying a charter asks: that is the one
   that counts. Rows that are
   instead of each other do not stand together, nor do two versions of one row; a row accepted ``with`` another stands
   only beside it. The largest table is found by branch and bound: exact, unless ``COMPARE_WORK_MAX`` is reached, and
   then the answer says so.

``compare`` makes one JSON object; ``summit`` prints it. Its fields: ``schema``, ``members``, ``operators`` (how many),
``quorum``, ``rows`` (see ``_row``), ``steps`` [{``k``, ``rows``, ``whole``}] from all operators down to the quorum,
``all`` and ``passing`` (see ``_whole``): the largest tables that all members, and that members of k operators, accept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchword.charter.quorum import least_quorum, most_faulty
from watchword.errors import WatchwordError
from watchword.limits import COMPARE_MEMBERS_MAX, COMPARE_RIVALS_MAX, COMPARE_VERSIONS_MAX, COMPARE_WORK_MAX
from watchword.policy.position import BadPosition, Box, Position, Word, box, table_of
from watchword.policy.strictness import LOOSEST, NOT_SAID, Point, Scale, Strict, moved, point_at, points, shape

SCHEMA = "watchword-positions/1"


class TooMuchToCompare(WatchwordError):
    """More positions, or more versions of one row, than can be compared exactly. Names the row."""


@dataclass(frozen=True)
class Version:
    """A row as somebody put it on the table. ``by``: the pack or the member."""

    row: Mapping[str, Any]
    by: str
    from_pack: bool
    shape: str


@dataclass(frozen=True)
class Option:
    """A version that the members of ``mask`` (bit i: member i) accept together; ``to``: what of ``base`` was moved."""

    mask: int
    base: Version
    to: Mapping[Scale, Point]

    @property
    def row(self) -> dict[str, Any]:
        return moved(self.base.row, self.to)


@dataclass(frozen=True)
class Accepted:
    """What one member said of a version of one shape: its word, and the box of versions that it accepts."""

    member: int
    word: Word
    box: Box
    shape: str


@dataclass
class Row:
    """One id on the table: versions, what was said of it, and the options, most widely accepted first."""

    id: str
    versions: list[Version] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    refused: dict[int, Word] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)


def compare(positions: Sequence[Position], quorum: int | None = None) -> dict[str, Any]:
    """Compare *positions*; *quorum*: how many operators ratify, by default as many as ``charter draft`` takes.

    Raises:
        BadPosition: a member twice, or a word on a row that nobody put on the table. TooMuchToCompare: past the limits.
    """
    members = [position.member for position in positions]
    if len(set(members)) != len(members):
        raise BadPosition(f"two positions of {max(members, key=members.count)}", "give one file of each member")
    if len(members) > COMPARE_MEMBERS_MAX:
        raise TooMuchToCompare(f"{len(members)} positions, limit {COMPARE_MEMBERS_MAX}")
    operators = len({position.operator for position in positions})
    k = least_quorum(operators, most_faulty(operators)) if quorum is None else quorum
    if not 1 <= k <= operators:
        raise BadPosition(f"a quorum of {k} among {operators} operators", f"it is 1 to {operators}")
    # 1
    rows = _on_the_table(positions)
    # 2
    for row in rows.values():
        row.options = _options(row)
    # 3
    search = _Search(rows, positions)
    # What is asked for comes first: what is left of the bound is for the steps in between.
    everybody = search.of_all()
    tables = {size: search.largest(size) for size in range(k, operators + 1)}
    steps = [
        {
            "k": size, "whole": len(tables[size].ids),
            "rows": sum(any(search.operators(one.mask) >= size for one in row.options) for row in rows.values()),
        }
        for size in range(operators, k - 1, -1)
    ]  # fmt: skip
    return {
        "schema": SCHEMA,
        "members": members,
        "operators": operators,
        "quorum": k,
        "rows": [_row(row, members, search) for row in rows.values()],
        "steps": steps,
        "all": _whole(everybody, rows, members, search),
        "passing": _whole(tables[k], rows, members, search),
    }


# -- 1: what is on the table -------------------------------------------------------------------------


def _on_the_table(positions: Sequence[Position]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for pack in table_of(positions):
        for row in (*pack.requirements, *pack.red_lines):
            rows.setdefault(row["id"], Row(row["id"])).versions.append(Version(row, pack.name, True, shape(row)))
    for position in positions:
        for row in position.rows:
            versions = rows.setdefault(row["id"], Row(row["id"])).versions
            versions.append(Version(row, position.member, False, shape(row)))
    for number, position in enumerate(positions):
        for id, word in position.words:
            if id not in rows:
                raise BadPosition(f"{position.path}: {id[:80]}: nobody put this row on the table", "name its pack")
            _say(rows[id], number, position, word)
        said = {id for id, _ in position.words}
        for pack in position.packs if position.otherwise != "open" else ():
            for row in (*pack.requirements, *pack.red_lines):
                if row["id"] not in said:
                    _say(rows[row["id"]], number, position, Word(position.otherwise, pack.name))  # type: ignore[arg-type]
    return rows


def _say(row: Row, member: int, position: Position, word: Word) -> None:
    if word.stance == "refuse":
        row.refused[member] = word
        return
    version = _meant(row, position, word)
    accepted = box(word, version.row, f"{position.path}: {row.id[:80]}")
    row.accepted.append(Accepted(member, word, accepted, version.shape))


def _meant(row: Row, position: Position, word: Word) -> Version:
    """The version that a member speaks of: the one it names, else its own table's, else the only one."""
    mine = {pack.name for pack in position.packs}
    for fits in (
        [one for one in row.versions if one.by == word.of],
        [one for one in row.versions if word.of is None and one.by in mine],
        [one for one in row.versions if word.of is None and one.from_pack],
        row.versions if word.of is None else [],
    ):
        if len({(one.shape, str(sorted(points(one.row).items()))) for one in fits}) == 1:
            return fits[0]
        if fits:
            break
    by = ", ".join(one.by for one in row.versions)
    raise BadPosition(f"{position.path}: {row.id[:80]}: of whose version? there are those of {by}", "say it with of")


# -- 2: which versions are accepted together -----------------------------------------------------------


def _options(row: Row) -> list[Option]:
    found: list[Option] = []
    for base in {one.shape: one for one in reversed(row.versions)}.values():
        accepted = [one for one in row.accepted if one.shape == base.shape]
        same = [one.row for one in row.versions if one.shape == base.shape]
        named = [*(points(one) for one in same), *(one.box.intervals for one in accepted)]
        scales = sorted({scale for one in named for scale in one})
        here = points(base.row)
        budget = [COMPARE_VERSIONS_MAX]
        for alive, to in _places(scales, here, accepted, budget, row.id):
            mask = 0
            for one in alive:
                mask |= 1 << one.member
            if mask:
                found.append(Option(mask, base, to))
    found.sort(key=lambda one: (-one.mask.bit_count(), not one.base.from_pack, len(one.to), one.mask))
    kept: list[Option] = []
    for option in found:
        if not any(option.mask | other.mask == other.mask for other in kept):
            kept.append(option)
    return kept


def _places(
    scales: list[Scale], here: Mapping[Scale, Point], alive: list[Accepted], budget: list[int], id: str
) -> Iterator[tuple[list[Accepted], dict[Scale, Point]]]:
    """The largest sets of acceptances that some version satisfies, each with the version's moved scales."""
    budget[0] -= 1
    if budget[0] < 0:
        raise TooMuchToCompare(
            f"{id[:80]}: more than {COMPARE_VERSIONS_MAX:,} versions to weigh", "agree on some of its scales first"
        )
    if not scales:
        yield alive, {}
        return
    scale, rest = scales[0], scales[1:]
    base = here[scale].strict if scale in here else LOOSEST
    places: dict[tuple[int, ...], Strict] = {}
    for strict in _tried(scale, base, alive):
        holding = tuple(at for at, one in enumerate(alive) if one.box.holds(scale, strict))
        places.setdefault(holding, strict)
    sets = [frozenset(holding) for holding in places]
    for holding, strict in places.items():
        if not any(frozenset(holding) < other for other in sets):
            change = {} if strict == base else {scale: point_at(scale, strict)}
            for found, to in _places(rest, here, [alive[at] for at in holding], budget, id):
                yield found, change | to


def _tried(scale: Scale, base: Strict, alive: list[Accepted]) -> list[Strict]:
    """Where acceptance begins or ends on *scale*, the nearest to *base* first and *base* before all."""
    ends: set[Strict] = set()
    for one in alive:
        low, high = one.box.on(scale)
        ends |= {end for end in (low, high) if not isinstance(end, float)}
        if high == LOOSEST:
            ends.add(LOOSEST)
    stricter = sorted(end for end in ends if end > base)
    looser = sorted((end for end in ends if end < base), reverse=True)
    return [base, *stricter, *looser]


# -- 3: what passes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """A table that the members of ``mask`` accept as a whole."""

    ids: frozenset[str]
    mask: int
    exact: bool


class _Search:
    """Branch and bound over coalitions of members, and over rows that do not stand together."""

    def __init__(self, rows: Mapping[str, Row], positions: Sequence[Position]) -> None:
        self._count = len(positions)
        self._alike: dict[str, int] = {}
        for number, position in enumerate(positions):
            self._alike[position.operator] = self._alike.get(position.operator, 0) | 1 << number
        self._beside = [self._alike[position.operator] for position in positions]
        self.masks = {id: [one.mask for one in row.options] for id, row in rows.items()}
        self.needs: dict[tuple[int, str], frozenset[str]] = {}
        for id, row in rows.items():
            for one in row.accepted:
                if one.word.with_:
                    before = self.needs.get((one.member, id), frozenset())
                    self.needs[one.member, id] = before | frozenset(one.word.with_)
        self._rivals = sorted(
            {
                (min(id, other), max(id, other))
                for position in positions
                for id, others in position.replaces.items()
                for other in others
                if other in rows and other != id
            }
        )
        self._needed_by: dict[str, list[tuple[int, str]]] = {}
        for (member, id), needed in self.needs.items():
            for other in needed:
                self._needed_by.setdefault(other, []).append((member, id))
        if len(self._rivals) > COMPARE_RIVALS_MAX:
            raise TooMuchToCompare(
                f"{len(self._rivals)} pairs of rows are instead of each other, limit {COMPARE_RIVALS_MAX}"
            )
        self._work = 0

    def operators(self, mask: int) -> int:
        """How many operators the members of *mask* have."""
        return sum(mask & alike != 0 for alike in self._alike.values())

    def of_all(self) -> Table:
        """The largest table that all members accept as a whole."""
        everybody = (1 << self._count) - 1
        alive = frozenset(id for id, masks in self.masks.items() if everybody in masks)
        ids = self._settled(everybody, alive)
        exact = self._work <= COMPARE_WORK_MAX
        self._work = 0  # the search for what passes has the whole bound again
        return Table(ids, everybody, exact)

    def largest(self, k: int) -> Table:
        """The largest table that members of some *k* operators accept as a whole; among equals the first found."""
        everything = [mask for masks in self.masks.values() for mask in masks]
        accepting = [sum(mask >> member & 1 for mask in everything) for member in range(self._count)]
        order = sorted(range(self._count), key=lambda member: (-accepting[member], member))
        best = Table(frozenset(), 0, True)
        waiting = [(0, 0, self.masks)]
        # Some table is always found: the bound stops the search for a larger one.
        while waiting and (not best.mask or self._work <= COMPARE_WORK_MAX):
            at, coalition, before = waiting.pop()
            self._work += 1 + len(before)
            # One member speaks for each operator, so the members of a coalition are as many as its operators.
            size = coalition.bit_count()
            reach = coalition | sum(1 << member for member in order[at:])
            # What may still pass: some version that all of the coalition accept, and enough of those that may yet join.
            alive = {
                id: fit
                for id, masks in before.items()
                if (fit := [m for m in masks if m & coalition == coalition and self.operators(m & reach) >= k])
            }
            if self.operators(reach) < k or (best.mask and len(alive) <= len(best.ids)):
                continue
            if size == k:
                ids = self._settled(coalition, frozenset(alive))
                if not best.mask or len(ids) > len(best.ids):
                    best = Table(ids, coalition, True)
                continue
            waiting.append((at + 1, coalition, alive))
            if not self._beside[order[at]] & coalition:
                waiting.append((at + 1, coalition | 1 << order[at], alive))
        return Table(best.ids, best.mask, not waiting and self._work <= COMPARE_WORK_MAX)

    def accepts(self, member: int, ids: frozenset[str]) -> bool:
        """Whether what *member* takes only together with other rows has them in *ids*."""
        return all(self.needs.get((member, id), frozenset()) <= ids for id in ids)

    def _settled(self, coalition: int, ids: frozenset[str]) -> frozenset[str]:
        """The largest part of *ids* in which nobody of *coalition* lacks a row, and no row is instead of another."""
        ids = self._sufficient(coalition, ids)
        self._work += 1 + len(self._rivals) // 8
        beside: dict[str, set[str]] = {}
        for one, other in self._rivals:
            if one in ids and other in ids:
                beside.setdefault(one, set()).add(other)
                beside.setdefault(other, set()).add(one)
        if not beside:
            return ids
        # The row with most rivals stands, and all of those fall, or it falls: then at least one is gone.
        worst = max(sorted(beside), key=lambda id: len(beside[id]))
        kept = self._settled(coalition, ids - beside[worst])
        if len(kept) >= len(ids) - 1 or self._work > COMPARE_WORK_MAX:
            return kept
        return max(kept, self._settled(coalition, ids - {worst}), key=len)

    def _sufficient(self, coalition: int, ids: frozenset[str]) -> frozenset[str]:
        """*ids* without those that somebody of *coalition* accepts only with a row that is not there."""
        self._work += 1 + len(self.needs)
        left = set(ids)
        gone = [
            id
            for (member, id), needed in self.needs.items()
            if coalition >> member & 1 and id in left and not needed <= left
        ]
        while gone:
            id = gone.pop()
            if id in left:
                left.remove(id)
                gone += [other for member, other in self._needed_by.get(id, ()) if coalition >> member & 1]
        return frozenset(left)


def _whole(table: Table, rows: Mapping[str, Row], members: list[str], search: _Search) -> dict[str, Any]:
    """The table as JSON: ``ids``; ``by``, all who accept it whole; ``exact``; the rows themselves; what was moved."""
    chosen = {id: next(one for one in row.options if one.mask & table.mask == table.mask)
              for id, row in rows.items() if id in table.ids}  # fmt: skip
    by = [
        name for number, name in enumerate(members)
        if chosen and all(one.mask >> number & 1 for one in chosen.values()) and search.accepts(number, table.ids)
    ]  # fmt: skip
    made = {id: one.row for id, one in chosen.items()}
    return {
        "ids": list(chosen),
        "by": by,
        "exact": table.exact,
        "moved": {id: _moves(one) for id, one in chosen.items() if one.to},
        "requirements": [row for row in made.values() if "forbid" not in row],
        "red_lines": [row for row in made.values() if "forbid" in row],
    }


def _row(row: Row, members: list[str], search: _Search) -> dict[str, Any]:
    """One row as JSON.

    ``id``; ``what``: requirement or red line; ``text``; ``versions`` [who]; ``accepted_by``, their ``operators`` and
    ``moved``: of the version that most accept; ``stances`` {member: {``stance``, ``reason``, ``with``, ``why``}}, where
    ``why`` says what keeps the member from that version, or is null; ``scales``: those on which members differ.
    """
    best = row.options[0] if row.options else None
    first = best.base if best else row.versions[0]
    return {
        "id": row.id,
        "what": "red line" if "forbid" in first.row else "requirement",
        "text": first.row["text"],
        "versions": [one.by for one in row.versions],
        "accepted_by": [name for number, name in enumerate(members) if best and best.mask >> number & 1],
        "operators": search.operators(best.mask) if best else 0,
        "moved": _moves(best) if best else {},
        "stances": {name: _stance(row, number, best) for number, name in enumerate(members)},
        "scales": _scales(row, first, members),
    }


def _moves(option: Option) -> dict[str, list[Any]]:
    here = points(option.base.row)
    return {str(s): [here[s].value if s in here else None, point.value] for s, point in sorted(option.to.items())}


def _stance(row: Row, member: int, best: Option | None) -> dict[str, Any]:
    said = [one for one in row.accepted if one.member == member]
    refused = row.refused.get(member)
    word = refused if not said else said[0].word
    if word is None:
        return {"stance": "open", "reason": "", "with": [], "why": "has not said"}
    told = {"stance": word.stance, "reason": word.reason, "with": list(word.with_)}
    if refused is not None and not said:
        return told | {"why": "refuses"}
    if best is not None and best.mask >> member & 1:
        return told | {"why": None}
    here = points(best.base.row) | dict(best.to) if best else {}
    near = [one for one in said if best is not None and one.shape == best.base.shape]
    if not near:
        return told | {"why": "accepts another row under this id"}
    mine = near[0].box
    off = [s for s in sorted({*here, *mine.intervals}) if not mine.holds(s, here.get(s, NOT_SAID).strict)]
    return told | {"why": "accepts " + "; ".join(f"{s}: {_interval(s, mine.on(s))}" for s in off)}


def _scales(row: Row, first: Version, members: list[str]) -> list[dict[str, Any]]:
    """Each scale on which somebody does not accept what *first* has: what each accepts there, and what all of them."""
    said = {one.member: one.box for one in reversed(row.accepted) if one.shape == first.shape}
    here = points(first.row)
    found = []
    for scale in sorted({scale for one in said.values() for scale in one.intervals}):
        on = {member: one.on(scale) for member, one in sorted(said.items())}
        if not all(one.holds(scale, here.get(scale, NOT_SAID).strict) for one in said.values()):
            low, high = max(low for low, _ in on.values()), min(high for _, high in on.values())
            found.append({
                "scale": str(scale),
                "members": {members[member]: _interval(scale, interval) for member, interval in on.items()},
                "all": _interval(scale, (low, high)) if low <= high else None,
            })  # fmt: skip
    return found


def _interval(scale: Scale, interval: tuple[Strict, Strict]) -> str:
    low, high = interval
    if low == high:
        return str(point_at(scale, low))
    if high == float("inf"):
        return "anything" if low == LOOSEST else f"{point_at(scale, low)} or stricter"
    if low == LOOSEST:
        return f"{point_at(scale, high)} or looser"
    return f"{point_at(scale, low)} to {point_at(scale, high)}"
