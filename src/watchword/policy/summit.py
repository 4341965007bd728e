"""The comparison of positions as people read it at the table: text, Markdown, a page; and as a pack to draft from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchword.policy.pack import Pack, combined, shipped_pack
from watchword.policy.position import Position, table_of
from watchword.report.board import Board, Cell, Section

Value = Mapping[str, Any]
SHORT = {"accept": "yes", "accept or stricter": "yes+", "accept or looser": "yes-", "accept if": "if", "refuse": "NO"}
KEY = "yes: as written; yes+: or stricter; yes-: or looser; if: on conditions; NO: refused; -: no word"
PASSES = (
    "A row passes where members of that many operators accept one and the same version of it. A table passes where the "
    "same members accept every row in it: that is what ratifying a charter asks for."
)


def render_text(compared: Value) -> str:
    """For a terminal: the grid, what passes by how many, who blocks what."""
    members, rows = compared["members"], compared["rows"]
    quorum = _many(compared["quorum"], compared)
    lines = [f"{len(members)} positions on {len(rows)} rows; it takes {quorum} to put a charter in force"]
    width = max((len(row["id"]) for row in rows), default=3)
    columns = [max(len(name), 4) for name in members]
    head = "  ".join(name.ljust(column) for name, column in zip(members, columns, strict=True))
    lines.append(f"{'row'.ljust(width)}  {head}  accepted")
    for row in rows:
        cells = "  ".join(_short(row, name).ljust(column) for name, column in zip(members, columns, strict=True))
        count = f"{len(row['accepted_by'])} of {len(members)}"
        lines.append(f"{row['id'].ljust(width)}  {cells}  {count}{_as(row['moved'])}")
    lines += [f"({KEY})", "", "by how many          row by row   as one table"]
    lines += [f"{_many(step['k'], compared):19}  {step['rows']:10}   {step['whole']:12}" for step in compared["steps"]]
    for name, whole in (("all", compared["all"]), (str(compared["quorum"]), compared["passing"])):
        if name == "all" or compared["quorum"] != len(members):
            lines += ["", *_table_lines(name, whole)]
    lines += ["", *_blocked(compared)]
    scaled = [f"  {row['id']}, {one['scale']}: {_on(one)}" for row in rows for one in row["scales"]]
    if scaled:
        lines += ["", "where positions differ only in how strict", *scaled]
    return "\n".join(lines)


def board(compared: Value) -> Board:
    """The same as a page, and as Markdown."""
    members, quorum = compared["members"], compared["quorum"]
    whole, everybody = compared["passing"], compared["all"]
    grid = tuple(
        (Cell(row["id"], aside=row["text"]), *(_cell(row["stances"][name]) for name in members),
         Cell(f"{len(row['accepted_by'])} of {len(members)}", _kind(row, members, quorum), _as(row["moved"]).strip()))
        for row in compared["rows"]
    )  # fmt: skip
    steps = tuple(
        (Cell(_many(s["k"], compared)), Cell(str(s["rows"])), Cell(str(s["whole"]))) for s in compared["steps"]
    )
    scales = tuple(
        (Cell(row["id"]), Cell(one["scale"]), Cell(", ".join(f"{n}: {v}" for n, v in one["members"].items())),
         Cell(one["all"] or "nothing", "good" if one["all"] else "bad"))
        for row in compared["rows"] for one in row["scales"]
    )  # fmt: skip
    blocked = tuple((Cell(name, "bad"), Cell(", ".join(ids)), Cell(why)) for name, ids, why in _alone(compared))
    sections = [
        Section("Who accepts what", KEY, ("row", *members, "accepted"), grid),
        Section("What passes", PASSES, ("by how many", "rows, one by one", "rows, as one table"), steps),
        _whole_section(f"The largest table that all {len(members)} accept", everybody),
        _whole_section(f"The largest table that {quorum} accept", whole),
        Section("Rows that one member alone keeps from all", "" if blocked else "There are none.",
                ("member", "rows", "why") if blocked else (), blocked),
        Section("Where positions differ only in how strict", "" if scales else "Nowhere.",
                ("row", "scale", "members accept", "all accept") if scales else (), scales),
    ]  # fmt: skip
    verdict = (
        f"All {len(members)} accept a table of {len(everybody['ids'])} of {len(compared['rows'])} rows; "
        f"{', '.join(whole['by']) or 'nobody'} accept one of {len(whole['ids'])}"
    )
    kind = "good" if len(everybody["ids"]) == len(compared["rows"]) else "warn" if whole["ids"] else "bad"
    return Board("positions compared", f"Positions of {', '.join(members)}", verdict, kind, tuple(sections), (PASSES,))


def pack_of(compared: Value, positions: Sequence[Position]) -> Pack:
    """The table that passes, as a pack: standing is that of the table's packs, else of the first position that has any.

    Raises:
        PacksConflict: the packs on the table differ in standing.
    """
    packs = table_of(positions)
    if packs:
        standing = combined([Pack(pack.name, pack.title, [], [], pack.standing) for pack in packs]).standing
    else:
        standing = next((dict(one.standing) for one in positions if one.standing), shipped_pack("alliance").standing)
    whole = compared["passing"]
    title = f"What {', '.join(whole['by'])} accept as a whole"
    return Pack("agreed", title, whole["requirements"], whole["red_lines"], standing)


def _short(row: Value, name: str) -> str:
    said = row["stances"][name]
    mark = "" if said["why"] in (None, "refuses", "has not said") else "*"
    return SHORT.get(said["stance"], "-") + mark


def _as(moved: Value) -> str:
    said = ", ".join(f"{scale}: {now if now is not None else 'not said'}" for scale, (_, now) in moved.items())
    return f"  as {said}" if said else ""


def _many(k: int, compared: Value) -> str:
    operators = compared["operators"]
    if operators < len(compared["members"]):
        return f"{k} of {operators} operators"
    return "all" if k == operators else f"{k} of {operators}"


def _table_lines(name: str, whole: Value) -> list[str]:
    proven = "" if whole["exact"] else " (the largest found; larger ones were not ruled out)"
    who = f"all accept as one table {len(whole['ids'])} rows" if name == "all" else (
        f"{name} accept as one table {len(whole['ids'])} rows: {', '.join(whole['by']) or 'nobody'}"
    )  # fmt: skip
    lines = [who + proven]
    return lines + [f"  {id}{_as(whole['moved'].get(id, {}))}" for id in whole["ids"]]


def _alone(compared: Value) -> list[tuple[str, list[str], str]]:
    """By member: the rows that all others accept in one version, and why not this one."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in compared["rows"]:
        missing = [name for name in compared["members"] if name not in row["accepted_by"]]
        if len(missing) == 1 and row["accepted_by"]:
            said = row["stances"][missing[0]]
            found.setdefault(missing[0], []).append((row["id"], said["reason"] or said["why"]))
    return [(name, [id for id, _ in ids], "; ".join(f"{id}: {why}" for id, why in ids)) for name, ids in found.items()]


def _blocked(compared: Value) -> list[str]:
    alone = _alone(compared)
    lines = [f"{name} alone keeps from all: {why}" for name, _, why in alone]
    ids = {id for _, rows, _ in alone for id in rows}
    for row in compared["rows"]:
        out = [name for name in compared["members"] if name not in row["accepted_by"]]
        if out and row["id"] not in ids:
            by = ", ".join(f"{name} ({row['stances'][name]['why']})" for name in out)
            lines.append(f"{row['id']} is kept from all by {by}")
    return lines or ["nobody blocks anything"]


def _on(one: Value) -> str:
    by = ", ".join(f"{name} {interval}" for name, interval in one["members"].items())
    return f"{by}; all accept {one['all'] or 'nothing'}"


def _kind(row: Value, members: Sequence[str], quorum: int) -> str:
    return "good" if len(row["accepted_by"]) == len(members) else "warn" if row["operators"] >= quorum else "bad"


def _cell(said: Value) -> Cell:
    kind = "good" if said["why"] is None else "none" if said["stance"] == "open" else "bad"
    beside = [said["why"] if said["why"] not in (None, "refuses", "has not said") else "", said["reason"]]
    beside.append(f"only with {', '.join(said['with'])}" if said["with"] else "")
    return Cell(said["stance"], kind, "; ".join(filter(None, beside)))


def _whole_section(title: str, whole: Value) -> Section:
    rows = [*whole["requirements"], *whole["red_lines"]]
    told = [f"Accepted by {', '.join(whole['by'])}." if whole["by"] else "Nobody accepts one."]
    if not whole["exact"]:
        told.append("It is the largest found; larger ones were not ruled out.")
    moved = {id: _as(change).strip() for id, change in whole["moved"].items()}
    cells = tuple(
        (Cell(row["id"]), Cell(row["text"]), Cell(moved.get(row["id"], "as on the table"))) for row in rows
    )
    return Section(title, " ".join(told), ("row", "text", "version") if cells else (), cells)
