"""``watchword policy``: tables, packs, the norms they serve, the Cedar they compile to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.report.board import Board

class NotATable(WatchwordError):
    """A file name whose ending says no form of table."""


Rows = list[dict[str, Any]]


def show(args: argparse.Namespace) -> int:
    """Print the requirement table of the charter in force, or of packs."""
    from watchword.policy.pack import render_table

    _, requirements, red_lines = _rows(args)
    text = render_table(requirements, red_lines)
    rows = {"red_lines": red_lines, "requirements": requirements}
    emit(args, text.rstrip("\n"), {"schema": "watchword-policy/1", "text": text} | rows)
    return 0


def table(args: argparse.Namespace) -> int:
    """Write a pack as a table, or a table as a pack, by the name of the file; print Markdown where none is named."""
    from watchword.policy import sheet
    from watchword.policy.pack import find_packs

    pack = find_packs(args.source)
    written = {".csv": sheet.csv, ".md": sheet.markdown, ".toml": sheet.toml}
    value = {"name": pack.name, "output": None, "schema": "watchword-table/1"}
    if args.output is None:
        text = sheet.markdown(pack)
        emit(args, text.rstrip("\n"), value | {"text": text})
        return 0
    write = written.get(args.output.suffix.lower())
    if write is None:
        raise NotATable(f"{args.output}: not a name for a table", f"it ends in {', '.join(written)}")
    write_new(args.output, write(pack).encode())
    emit(args, f"wrote {args.output}", value | {"output": str(args.output)})
    return 0


def cedar(args: argparse.Namespace) -> int:
    """Print the Cedar policies that a table compiles to."""
    import msgspec

    from watchword.charter.charter import RedLine, Requirement
    from watchword.policy.cedar import rows_text

    of, requirements, red_lines = _rows(args)
    text = rows_text(of, msgspec.convert(requirements, list[Requirement]), msgspec.convert(red_lines, list[RedLine]))
    emit(args, text.rstrip("\n"), {"of": of, "schema": "watchword-cedar/1", "text": text})
    return 0


def packs(args: argparse.Namespace) -> int:
    """Print the packs that come with watchword."""
    from watchword.policy.pack import SHIPPED, shipped_pack

    listed = [shipped_pack(name) for name in SHIPPED]
    width = max(map(len, SHIPPED))
    lines = [
        f"{one.name.ljust(width)}  {len(one.requirements):2} requirements, {len(one.red_lines)} red lines  {one.title}"
        for one in listed
    ]
    value = [
        {
            "name": one.name, "title": one.title, "requirements": [row["id"] for row in one.requirements],
            "red_lines": [row["id"] for row in one.red_lines],
        }
        for one in listed
    ]  # fmt: skip
    emit(args, "\n".join(lines), {"packs": value, "schema": "watchword-packs/1"})
    return 0


def coverage(args: argparse.Namespace) -> int:
    """Print which norm entries a table serves, and which nothing serves."""
    from watchword.policy.coverage import board, coverage, render_markdown, render_text
    from watchword.policy.norm import shipped

    of, requirements, red_lines = _rows(args)
    covered = coverage(requirements, red_lines, shipped(), args.norm)
    text = render_markdown(covered, of).rstrip("\n") if args.format == "markdown" else render_text(covered)
    emit(args, text + page(args, board(covered, of)), covered)
    return 0


def page(args: argparse.Namespace, drawn: Board) -> str:
    """Write *drawn* where ``--page`` says, if it does; the line that tells so."""
    from watchword.report.board import render

    if args.page is None:
        return ""
    write_new(args.page, render(drawn).encode())
    return f"\nwrote {args.page}" if args.format == "text" else ""


def _rows(args: argparse.Namespace) -> tuple[str, Rows, Rows]:
    """Whose table, its requirements and its red lines: of the packs named, the charter named, or the one in force."""
    from watchword.cli.charter import file_of
    from watchword.policy.pack import find_packs

    if args.pack:
        pack = find_packs(args.pack)
        return pack.name, pack.requirements, pack.red_lines
    charter = file_of(args).charter
    of = f"charter {charter.version} of {charter.alliance}"
    return of, charter.value["requirements"], charter.value["red_lines"]
