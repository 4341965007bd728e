"""Packs: requirement tables, red lines and standing that people read, edit and put into a charter.

A pack is a TOML file, or the same as a table (``sheet``). What a row does not say has the value that asks for nothing
more: any issuer, distinct operators, no filter, any tool, any age, no bound, every use case. The charter holds the rows
in full.

Only the form is checked here; whether an alliance can live by it is ``charter.lint``'s. Several packs make one table
where they do not say different things under one id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from watchword.charter.charter import Condition, RedLine, Requirement
from watchword.charter.conditions import written
from watchword.errors import WatchwordError
from watchword.inspect.updates import added
from watchword.policy.use_case import read_text, read_toml, toml_of

SHIPPED = ("alliance", "nato-pru-2021", "deploy-securely-2024", "planned-evaluations")
"""The packs that come with watchword, by name; the first is the default."""
PRINCIPLES = {
    "A": "Lawfulness",
    "B": "Responsibility and accountability",
    "C": "Explainability and traceability",
    "D": "Reliability",
    "E": "Governability",
    "F": "Bias mitigation",
}
"""The NATO Principles of Responsible Use (22 October 2021), by letter."""


class BadPack(WatchwordError):
    """A pack file that is not of the form stated here. Names file and row."""


class PacksConflict(WatchwordError):
    """Packs that say different things under one id, or of who may make one kind of statement. Names all of them."""


@dataclass(frozen=True)
class Pack:
    """A named table. The three lists are as a charter object holds them (docs/protocol.md, sections 7 and 8)."""

    name: str
    title: str
    requirements: list[dict[str, Any]]
    red_lines: list[dict[str, Any]]
    standing: dict[str, list[str]]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    title: str
    standing: dict[str, list[str]]
    requirement: list[dict[str, Any]] = []
    red_line: list[dict[str, Any]] = []


def read_pack(path: Path | None = None) -> Pack:
    """Read a pack from a file; the alliance pack that comes with watchword when *path* is None.

    Raises:
        BadPack: missing, not TOML, a row with a field missing, unknown or of another type. Names file and row.
    """
    return shipped_pack(SHIPPED[0]) if path is None else _read(path, str(path))


def shipped_pack(name: str) -> Pack:
    """One of the packs that come with watchword.

    Raises:
        BadPack: no pack of that name.
    """
    if name not in SHIPPED:
        raise BadPack(f"{name}: no such pack", f"there are {', '.join(SHIPPED)}")
    with resources.as_file(resources.files("watchword.policy").joinpath("packs", f"{name}.toml")) as path:
        return _read(path, f"{name} pack")


def find_packs(names: Sequence[str]) -> Pack:
    """The packs of these names together; a name is that of a shipped pack, or of a file. None: the alliance pack.

    Raises:
        BadPack, PacksConflict: as ``shipped_pack``, ``read_pack`` and ``combined``.
    """
    return combined([find_pack(name) for name in names or SHIPPED[:1]])


def find_pack(name: str, folder: Path = Path()) -> Pack:
    """The pack of this name: one that comes with watchword or an update of its data, or a file, from *folder* on."""
    if name in SHIPPED:
        return shipped_pack(name)
    later = added()
    for text in later.packs if later is not None else ():
        if (one := parse_pack(text, "pack of the update")).name == name:
            return one
    return read_pack(folder / name)


def parse_pack(text: str, what: str) -> Pack:
    """Read a pack (TOML) in *text*, which is called *what* in an error. Raises as ``read_pack``."""
    return _pack(toml_of(text, Path(what), BadPack), what)


def combined(packs: Sequence[Pack]) -> Pack:
    """One pack of all rows of *packs*, in their order; a row that two of them hold alike stands once.

    Raises:
        PacksConflict: one id with two meanings, or one kind with two lists of who may say it. Names every such id.
    """
    if len(packs) == 1:
        return packs[0]
    found: dict[tuple[str, str], tuple[str, Any]] = {}
    conflicts: list[str] = []
    for pack in packs:
        entries: list[tuple[str, str, Any]] = [("row", one["id"], ("requirement", one)) for one in pack.requirements]
        entries += [("row", one["id"], ("red line", one)) for one in pack.red_lines]
        entries += [("standing", kind, sorted(roles)) for kind, roles in pack.standing.items()]
        for what, id, value in entries:
            first, known = found.setdefault((what, id), (pack.name, value))
            if known != value:
                of = "" if what == "row" else "standing of "
                conflicts.append(f"{of}{id} ({first}, {pack.name})")
    if conflicts:
        raise PacksConflict(
            f"packs say different things: {', '.join(sorted(conflicts))}",
            "give one of each two another id, or edit a copy until they agree",
        )
    rows = [value for (what, _), (_, value) in found.items() if what == "row"]
    return Pack(
        " + ".join(pack.name for pack in packs),
        "; ".join(pack.title for pack in packs),
        [row for of, row in rows if of == "requirement"],
        [row for of, row in rows if of == "red line"],
        {kind: roles for pack in packs for kind, roles in pack.standing.items()},
    )


def render_table(requirements: list[dict[str, Any]], red_lines: list[dict[str, Any]]) -> str:
    """Requirements and red lines as aligned text, least demanding first."""
    rows = [_cells(row) for row in requirements]
    widths = [max(len(cells[column]) for cells in [HEADINGS, *rows]) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in [HEADINGS, *rows]
    ]
    width = max((len(line["id"]) for line in red_lines), default=0)
    lines += ["", "red lines"]
    for line in red_lines:
        lines.append(f"  {line['id'].ljust(width)}  never when {_never(line)}")
        lines.append(f"  {' ' * width}  {line['text']}")
    return "\n".join(lines) + "\n"


def render_markdown(requirements: list[dict[str, Any]], red_lines: list[dict[str, Any]]) -> str:
    """The same as two Markdown tables."""
    rows = [[*_cells(row), _waiver(row["waiver"]), " ".join(row["serves"])] for row in requirements]
    red = [
        [
            line["id"], _never(line), line["text"], line["accountable"], " ".join(line["principle"]),
            " ".join(line["serves"]),
        ]
        for line in red_lines
    ]  # fmt: skip
    return (
        _markdown([*HEADINGS, "waived by", "serves"], rows)
        + "\n"
        + _markdown(["red line", "never when", "why", "accountable", "principle", "serves"], red)
    )


SHEETS = (".csv", ".md")
"""Suffixes of files that hold a pack as a table (``sheet``); any other is TOML."""
HEADINGS = [
    "criticality",
    "requirement",
    "evidence",
    "how many",
    "from whom",
    "how old",
    "bound",
    "owed by",
    "principle",
]


def _read(path: Path, what: str) -> Pack:
    return _pack(_read_sheet(path) if path.suffix.lower() in SHEETS else read_toml(path, BadPack), what)


def _pack(value: dict[str, Any], what: str) -> Pack:
    try:
        file = msgspec.convert(value, _File, strict=True)
    except msgspec.ValidationError as error:
        raise BadPack(f"{what}: {error}") from error
    rows = [checked_row(one, f"{what}: requirement {number}") for number, one in enumerate(file.requirement, 1)]
    lines = [checked_line(one, f"{what}: red line {number}") for number, one in enumerate(file.red_line, 1)]
    return Pack(file.name, file.title, rows, lines, file.standing)


def _read_sheet(path: Path) -> dict[str, Any]:
    from watchword.policy.sheet import read_csv, read_markdown

    text = read_text(path, BadPack)
    return read_csv(text, str(path)) if path.suffix.lower() == ".csv" else read_markdown(text, str(path))


def checked_row(value: dict[str, Any], what: str) -> dict[str, Any]:
    """A requirement as the charter holds it, of one as people write it; an error names *what*."""
    row = ROW_DEFAULTS | value
    row["where"], row["bound"] = _with_null(row["where"]), _with_null(row["bound"])
    if isinstance(row["when"], dict):
        row["when"] = {"criticality": 0, "human": []} | row["when"]
    return _checked(row, Requirement, what)


def checked_line(value: dict[str, Any], what: str) -> dict[str, Any]:
    """The same of a red line."""
    line = {"evidence": None, "serves": []} | value | {"forbid": _with_null(value.get("forbid"))}
    if isinstance(line["evidence"], dict) and "where" in line["evidence"]:
        line["evidence"] = line["evidence"] | {"where": _with_null(line["evidence"]["where"])}
    return _checked(line, RedLine, what)


def _checked(value: dict[str, Any], kind: type[Requirement | RedLine], what: str) -> dict[str, Any]:
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        name = f" ({value['id'][:80]})" if isinstance(value.get("id"), str) else ""
        raise BadPack(f"{what}{name}: {error}") from error
    return value


def _with_null(conditions: Any) -> Any:
    """TOML has no null: a condition that names no value has the value null."""
    if not isinstance(conditions, list):
        return conditions
    return [{"value": None} | one if isinstance(one, dict) else one for one in conditions]


ROW_DEFAULTS: dict[str, Any] = {
    "from": "any", "distinct": "operators", "where": [], "tools": 0, "max_age_days": None, "bound": [],
    "when": {"criticality": 0, "human": []}, "serves": [], "waiver": None,
}  # fmt: skip


def _cells(row: dict[str, Any]) -> list[str]:
    human = f", human {'/'.join(row['when']['human'])}" if row["when"]["human"] else ""
    of = {"files": ", files", "endpoint": ", endpoint"}.get(row["when"].get("release", ""), "")
    where = f" where {_conditions(row['where'])}" if row["where"] else ""
    many = f"{row['count']} {'operators' if row['distinct'] == 'operators' else 'statements'}"
    if row["count"] == 1:
        many = "1"
    if row["tools"]:
        many += f", {row['tools']} tools"
    return [
        f"from {row['when']['criticality']}{human}{of}", row["id"], row["kind"] + where, many, row["from"],
        "any" if row["max_age_days"] is None else f"{row['max_age_days']} d",
        _conditions(row["bound"]) or "none", row["owed_by"], " ".join(row["principle"]),
    ]  # fmt: skip


def _conditions(conditions: list[dict[str, Any]]) -> str:
    return " and ".join(written(Condition(field=c["field"], op=c["op"], value=c["value"])) for c in conditions)


def _never(line: dict[str, Any]) -> str:
    """When a red line is crossed: its conditions, and the evidence that it takes."""
    found = line["evidence"]
    if found is None:
        return _conditions(line["forbid"])
    where = f" where {_conditions(found['where'])}" if found["where"] else ""
    there = f"there is {found['kind']}{where}"
    return f"{_conditions(line['forbid'])} and {there}" if line["forbid"] else there


def _waiver(waiver: dict[str, Any] | None) -> str:
    return "nobody" if waiver is None else f"{waiver['count']} {waiver['role']}"


def _markdown(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n" for cells in lines)
