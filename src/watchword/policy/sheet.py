"""A pack as a table that people edit: CSV for spreadsheets, Markdown for documents, TOML as packs are kept.

``toml``, ``csv`` and ``markdown`` write a pack; ``read_csv`` and ``read_markdown`` give back what a pack's TOML file
would hold. Nothing is lost on the way but comments: what is written reads back as the same pack, to the last character.

* One row of the table is one requirement, red line or list of who may make a kind of statement; a column is one fact.
* Conditions stand in cells as ``grammar`` writes them. An empty cell is what a pack's row does not say.
* CSV: a cell that a spreadsheet would take for a formula begins with ``'``, which is taken off again; columns may be
  separated by ``;`` or tabs, as some spreadsheets do; a byte-order mark is written, because others need it.
* Markdown: what is no table is left aside, so that a document may say more around them.
* Columns are found by their headings, in any order; a heading that is not known is an error, never ignored.
"""

from __future__ import annotations

import csv as csv_module
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.policy import grammar
from watchword.policy.pack import ROW_DEFAULTS, Pack

Row = dict[str, Any]


class BadSheet(WatchwordError):
    """A table that does not read as a pack. Names file, line and column."""


def toml(pack: Pack) -> str:
    """*pack* as its TOML file; what a row does not say is left out.

    Raises:
        BadCondition: a condition's value that TOML and the table cannot hold.
    """
    lines = [f"name = {_quoted(pack.name)}", f"title = {_quoted(pack.title)}", "", "[standing]"]
    lines += [f"{_key(kind)} = {_toml(roles)}" for kind, roles in pack.standing.items()]
    for heading, rows in (("requirement", pack.requirements), ("red_line", pack.red_lines)):
        for row in rows:
            said = {name: row[name] for name in ORDER if name in row and row[name] != ROW_DEFAULTS.get(name)}
            lines += ["", f"[[{heading}]]", *(f"{name} = {_toml(value)}" for name, value in said.items())]
    return "\n".join(lines) + "\n"


def csv(pack: Pack) -> str:
    """*pack* as one CSV table (RFC 4180, headed, with a byte-order mark)."""
    file = io.StringIO(newline="")
    writer = csv_module.writer(file, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for what, cells in _rows(pack):
        writer.writerow([what, *(_guarded(cells.get(column, "")) for column in COLUMNS)])
    return "\ufeff" + file.getvalue()


def markdown(pack: Pack) -> str:
    """*pack* as a Markdown document of four tables."""
    rows = list(_rows(pack))
    parts = [f"# {_cell(pack.title)}"]
    for what, columns in WHAT.items():
        table = [[what, *columns[1:]], ["---"] * len(columns)]
        table += [[_cell(cells[column]) for column in columns] for of, cells in rows if of == what]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in table))
    return "\n\n".join(parts) + "\n"


def read_csv(text: str, what: str) -> Row:
    """What the TOML file of the pack in this CSV table would hold.

    Raises:
        BadSheet: names *what*, line and column.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv_module.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        headings = [one.strip() for one in next(reader, [])]
        _known(headings, HEADINGS, f"{what}: line 1")
        rows = []
        for cells in reader:
            if any(cells):
                line = f"{what}: line {reader.line_num}"
                if len(cells) > len(headings):
                    raise BadSheet(f"{line}: {len(cells)} cells, {len(headings)} headings")
                rows.append((line, {h: _unguarded(c) for h, c in zip(headings, cells, strict=False)}))
    except csv_module.Error as error:
        raise BadSheet(f"{what}: line {reader.line_num}: {error}") from error
    return _pack(rows, what)


def read_markdown(text: str, what: str) -> Row:
    """What the TOML file of the pack in this Markdown document's tables would hold.

    Raises:
        BadSheet: names *what*, line and column.
    """
    rows = []
    headings: list[str] = []
    ruled = False
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        cells = _cells(line.strip(" \t\r"))
        if cells is None:
            headings = []
        elif not headings:
            headings, ruled = cells, False
            if cells[0] in WHAT:
                _known(cells[1:], WHAT[cells[0]], f"{what}: line {number}")
        elif not ruled:
            ruled = True
        elif headings[0] in WHAT:
            if len(cells) != len(headings):
                raise BadSheet(f"{what}: line {number}: {len(cells)} cells, {len(headings)} headings")
            named = dict(zip(headings[1:], cells[1:], strict=True))
            rows.append((f"{what}: line {number}", named | {"what": headings[0], "id": cells[0]}))
    return _pack(rows, what)


# -- columns ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """How the field of a row stands in a cell. ``empty``: what an empty cell means; None: the row does not say."""

    field: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    empty: Any = None


def _same(value: str) -> str:
    return value


def _number(cell: str) -> int:
    if not re.fullmatch("[0-9]{1,16}", cell.strip(), re.ASCII):
        raise grammar.BadCondition(f"{cell[:40]!r} is no whole number")
    return int(cell.strip())  # which, unlike int, takes control characters for blanks


def _word(cell: str) -> str:
    return grammar.read_until(cell, "")[0]


def _waiver(value: Mapping[str, Any]) -> str:
    return f"{value['count']} by {grammar.word(value['role'])}"


def _read_waiver(cell: str) -> Row:
    count, _, role = cell.partition(" by ")
    return {"count": _number(count), "role": _word(role)}


def _evidence(value: Mapping[str, Any]) -> str:
    where = grammar.written(value["where"])
    return grammar.word(value["kind"]) + (f" where {where}" if where else "")


def _read_evidence(cell: str) -> Row:
    kind, where = grammar.read_until(cell, "where")
    return {"kind": kind, "where": grammar.read(where)}


_TEXT = (_same, _same, "")
_WORD = (grammar.word, _word)
_WORDS = (grammar.words, grammar.read_words)
_CONDITIONS = (grammar.written, grammar.read)
COLUMNS = {
    "id": Column("id", *_TEXT),
    "text": Column("text", *_TEXT),
    "kind": Column("kind", *_TEXT),
    "how many": Column("count", str, _number),
    "from whom": Column("from", *_WORD),
    "distinct": Column("distinct", *_WORD),
    "where": Column("where", *_CONDITIONS),
    "tools": Column("tools", str, _number),
    "days old at most": Column("max_age_days", str, _number),
    "bound": Column("bound", *_CONDITIONS),
    "from criticality": Column("criticality", str, _number),
    "human": Column("human", *_WORDS),
    "release": Column("release", *_WORD),
    "never when": Column("forbid", *_CONDITIONS, ()),
    "evidence": Column("evidence", _evidence, _read_evidence),
    "owed by": Column("owed_by", *_TEXT),
    "accountable": Column("accountable", *_TEXT),
    "principle": Column("principle", *_WORDS, ()),
    "serves": Column("serves", *_WORDS),
    "waiver": Column("waiver", _waiver, _read_waiver),
    "roles": Column("roles", *_WORDS, ()),
}
"""Each column by its heading."""
HEADINGS = ("what", *COLUMNS)
_OF_RED_LINES = ("id", "text", "never when", "evidence", "accountable", "principle", "serves")
WHAT = {
    "pack": ("id", "text"),
    "standing": ("id", "roles"),
    "requirement": tuple(one for one in COLUMNS if one not in ("never when", "evidence", "roles")),
    "red line": _OF_RED_LINES,
}
"""What a row of the table can be, and the columns it has; the first names it."""
ORDER = (
    "id", "text", "kind", "count", "from", "distinct", "where", "tools", "max_age_days", "bound", "when", "forbid",
    "evidence", "waiver", "owed_by", "accountable", "principle", "serves",
)  # fmt: skip
"""The fields of a row in the order in which TOML has them."""


def _rows(pack: Pack) -> Iterator[tuple[str, dict[str, str]]]:
    """What each row is, and its cells by column."""
    yield "pack", _written("pack", {"id": pack.name, "text": pack.title})
    for kind, roles in pack.standing.items():
        yield "standing", _written("standing", {"id": kind, "roles": roles})
    for row in pack.requirements:
        yield "requirement", _written("requirement", {"release": None} | row | row["when"])
    for line in pack.red_lines:
        yield "red line", _written("red line", line)


def _written(what: str, row: Mapping[str, Any]) -> dict[str, str]:
    columns = {heading: COLUMNS[heading] for heading in WHAT[what]}
    said = {heading: row[column.field] for heading, column in columns.items()}
    return {heading: "" if value is None else columns[heading].write(value) for heading, value in said.items()}


def _pack(rows: list[tuple[str, dict[str, str]]], where: str) -> Row:
    found: dict[str, list[tuple[str, Row]]] = {what: [] for what in WHAT}
    for line, cells in rows:
        what = cells.get("what", "")
        if what not in WHAT:
            raise BadSheet(f"{line}: a row is {', '.join(WHAT)}, not {what[:40]!r}")
        stray = [heading for heading, cell in cells.items() if cell and heading not in ("what", *WHAT[what])]
        if stray:
            raise BadSheet(f"{line}, {stray[0]}: a {what} has no such column", "empty the cell, or move it to its row")
        found[what].append((line, _read(what, cells, line)))
    if len(found["pack"]) != 1:
        raise BadSheet(f"{where}: {len(found['pack'])} rows say which pack it is, one should", "what: pack, id, text")
    standing: dict[str, list[str]] = {}
    for line, row in found["standing"]:
        if row["id"] in standing:
            raise BadSheet(f"{line}: the standing of {row['id'][:80]} stands twice")
        standing[row["id"]] = row["roles"]
    name = found["pack"][0][1]
    requirements = [row for _, row in found["requirement"]]
    for row in requirements:
        row["when"] = {field: row.pop(field) for field in ("criticality", "human", "release") if field in row}
    return {
        "name": name["id"], "title": name["text"], "standing": standing, "requirement": requirements,
        "red_line": [row for _, row in found["red line"]],
    }  # fmt: skip


def _read(what: str, cells: Mapping[str, str], line: str) -> Row:
    row: Row = {}
    for heading in WHAT[what]:
        column, cell = COLUMNS[heading], cells.get(heading, "")
        try:
            value = column.read(cell) if cell else column.empty
        except grammar.BadCondition as error:
            raise BadSheet(f"{line}, {heading}: {error.message}", error.hint) from error
        if value is not None:
            row[column.field] = list(value) if isinstance(value, tuple) else value
    return row


def _known(headings: Sequence[str], known: Sequence[str], line: str) -> None:
    for heading in headings:
        if heading not in known:
            raise BadSheet(f"{line}: no column is called {heading[:40]!r}", f"columns: {', '.join(known)}")
        if headings.count(heading) > 1:
            raise BadSheet(f"{line}: the column {heading} stands twice")


# -- cells -----------------------------------------------------------------------------------------

_FORMULA = tuple("=+-@'\t\r")
_SPECIAL = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~nrts])")
_LINE = re.compile(r"(?:(?:[^|\\]|\\.)*+\|)+")
_CELL = re.compile(r"((?:[^|\\]|\\.)*+)\|")


def _guarded(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell.removeprefix("'")


def _cell(text: str) -> str:
    """*text* in one Markdown cell: nothing in it ends the cell or starts an element."""
    text = re.sub(r"[\\|`*]|<(?=[A-Za-z/!?])|(?<=\])\(", lambda match: "\\" + match[0], text)
    text = re.sub("[\n\r\t]", lambda match: _SPECIAL[match[0]], text)
    return re.sub("^ | $", r"\\s", text)


def _cells(line: str) -> list[str] | None:
    """The cells of a line of a Markdown table; None where it is none."""
    if not line.startswith("|"):
        return None
    rest = line[1:] if _LINE.fullmatch(line, 1) else line[1:] + "|"
    return [_ESCAPED.sub(_meant, cell.strip(" \t")) for cell in _CELL.findall(rest)]


def _meant(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t", "s": " "}.get(match[1], match[1])


# -- TOML ------------------------------------------------------------------------------------------


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    raise grammar.BadCondition(f"a value of type {type(value).__name__} has no place in a pack")


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name, re.ASCII) else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's; TOML asks for one more.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
