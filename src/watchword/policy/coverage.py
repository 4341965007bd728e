"""Which entries of a norm a requirement table speaks to, with which evidence; and which entries nothing serves.

``coverage`` makes one JSON object:

* ``schema``; ``norms``: for each ``id``, ``title``, ``publisher``, ``date``, ``source``, ``digest``, ``digest_of``,
  ``numbering``, ``entries`` and ``nothing`` [id], the entries that nothing serves;
* an entry: ``id`` (pinned), ``title``, ``where``, ``text``, ``gap`` (what no kind of statement can show, or empty),
  ``requirements`` [{``id``, ``kind``, ``criticality``}], ``red_lines`` [id], ``evidence`` [kind];
* ``unknown`` [{``row``, ``id``}]: what rows say they serve and no norm here has;
* ``silent`` [norm id]: norms that no row names at all, and that were not asked for.

A row serves what its ``serves`` names; its letters in ``principle`` are those of ``nato-pru-2021``. Nothing is
concluded from what a row asks for: an entry is served because whoever wrote the row says so, and a reader can disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchword.policy.norm import BadNorm, Entry, Norm
from watchword.report.board import Board, Cell, Section, markdown

SCHEMA = "watchword-coverage/1"
PRINCIPLES_OF = "nato-pru-2021"
Rows = Sequence[Mapping[str, Any]]


def coverage(requirements: Rows, red_lines: Rows, norms: Sequence[Norm], wanted: Sequence[str] = ()) -> dict[str, Any]:
    """The object stated at the top of this module.

    Args:
        requirements, red_lines: as a pack or a charter object holds them.
        wanted: ids of norms to show; by default those that some row names.

    Raises:
        BadNorm: *wanted* names a norm that is not among *norms*.
    """
    by_id = {norm.id: norm for norm in norms}
    for id in wanted:
        if id not in by_id:
            raise BadNorm(f"{id}: no such norm here", f"there are {', '.join(by_id)}")
    says = [(row["id"], id) for row in (*requirements, *red_lines) for id in _served(row)]
    named = {id.partition(":")[0] for _, id in says}
    shown = wanted or [norm.id for norm in norms if norm.id in named]
    known = {norm.pinned(entry) for norm in norms for entry in norm.entry}
    return {
        "schema": SCHEMA,
        "norms": [_norm(by_id[id], requirements, red_lines) for id in shown],
        "unknown": [{"row": row, "id": id} for row, id in says if id not in known],
        "silent": [norm.id for norm in norms if norm.id not in named and norm.id not in shown],
    }


def board(covered: Mapping[str, Any], of: str) -> Board:
    """The object as a page, and as text: *of* says whose table it is."""
    nothing = sum(len(norm["nothing"]) for norm in covered["norms"])
    entries = sum(len(norm["entries"]) for norm in covered["norms"])
    sections = []
    for norm in covered["norms"]:
        sections += [_section(norm), _nothing(norm)]
    if covered["unknown"]:
        rows = tuple((Cell(one["row"]), Cell(one["id"], "bad")) for one in covered["unknown"])
        sections.append(Section("Named by rows, and in no norm here", "", ("row", "serves"), rows))
    notes = [
        "An entry is served because the row's author says so; that does not mean that it is fulfilled.",
        *(f"{id}: no row names it" for id in covered["silent"]),
    ]
    verdict = f"{nothing} of {entries} entries are served by nothing"
    kind = "warn" if nothing else "good"
    return Board("norm coverage", f"What {of} serves", verdict, kind, tuple(sections), tuple(notes))


def render_text(covered: Mapping[str, Any]) -> str:
    """For a terminal: each entry on a line, what nothing serves at the end of its norm."""
    lines = []
    for norm in covered["norms"]:
        lines.append(f"{norm['title']} ({norm['publisher']}, {norm['date']})")
        width = max(len(entry["id"]) for entry in norm["entries"])
        for entry in norm["entries"]:
            lines.append(f"  {entry['id'].ljust(width)}  {entry['title']}: {_by(entry) or 'NOTHING'}")
            if entry["gap"] and _by(entry):
                lines.append(f"  {' ' * width}  not shown by any statement: {entry['gap']}")
        nothing, entries = len(norm["nothing"]), len(norm["entries"])
        lines += [f"  {entries - nothing} of {entries} entries are served; nothing serves the other {nothing}", ""]
    lines += [f"{one['row']} serves {one['id']}, which no norm here has" for one in covered["unknown"]]
    if covered["silent"]:
        lines.append(f"no row names anything of {', '.join(covered['silent'])}")
    return "\n".join(lines).rstrip()


def render_markdown(covered: Mapping[str, Any], of: str) -> str:
    """The page's tables in Markdown."""
    return markdown(board(covered, of))


def _served(row: Mapping[str, Any]) -> Iterator[str]:
    yield from row["serves"]
    for letter in row["principle"]:
        if f"{PRINCIPLES_OF}:{letter}" not in row["serves"]:
            yield f"{PRINCIPLES_OF}:{letter}"


def _norm(norm: Norm, requirements: Rows, red_lines: Rows) -> dict[str, Any]:
    entries = [_entry(norm, entry, requirements, red_lines) for entry in norm.entry]
    return {
        "id": norm.id, "title": norm.title, "publisher": norm.publisher, "date": norm.date, "source": norm.source,
        "digest": norm.digest, "digest_of": norm.digest_of, "numbering": norm.numbering, "entries": entries,
        "nothing": [entry["id"] for entry in entries if not entry["requirements"] and not entry["red_lines"]],
    }  # fmt: skip


def _entry(norm: Norm, entry: Entry, requirements: Rows, red_lines: Rows) -> dict[str, Any]:
    pinned = norm.pinned(entry)
    rows = [row for row in requirements if pinned in _served(row)]
    return {
        "id": pinned, "title": entry.title, "where": entry.where, "text": entry.text, "gap": entry.gap,
        "requirements": [
            {"id": row["id"], "kind": row["kind"], "criticality": row["when"]["criticality"]} for row in rows
        ],
        "red_lines": [line["id"] for line in red_lines if pinned in _served(line)],
        "evidence": sorted({row["kind"] for row in rows}),
    }  # fmt: skip


def _by(entry: Mapping[str, Any]) -> str:
    rows = [f"{row['id']} ({row['kind']}, from {row['criticality']})" for row in entry["requirements"]]
    return ", ".join([*rows, *(f"red line {id}" for id in entry["red_lines"])])


def _section(norm: Mapping[str, Any]) -> Section:
    rows = []
    for entry in norm["entries"]:
        by = _by(entry)
        rows.append((
            Cell(entry["id"], aside=f"{entry['title']}, {entry['where']}"),
            Cell(entry["text"]),
            Cell(by, "good") if by else Cell("nothing", "bad"),
            Cell(entry["gap"] or "-"),
        ))  # fmt: skip
    lead = (
        f"{norm['publisher']}, {norm['date']}, {norm['source']}. {norm['numbering']} "
        f"{norm['digest']}: {norm['digest_of']}"
    )
    headings = ("entry", "what it asks, in our words", "served by", "what no statement shows")
    return Section(norm["title"], lead, headings, tuple(rows))


def _nothing(norm: Mapping[str, Any]) -> Section:
    by_id = {entry["id"]: entry for entry in norm["entries"]}
    rows = tuple((Cell(id, "bad"), Cell(by_id[id]["title"]), Cell(by_id[id]["text"])) for id in norm["nothing"])
    lead = "" if rows else "Every entry is named by some row."
    return Section(f"{norm['id']}: what nothing serves", lead, ("entry", "title", "what it asks") if rows else (), rows)
