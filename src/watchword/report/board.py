"""A board: one verdict and a few tables, drawn as a self-contained page or written as Markdown.

For what is compared rather than decided: positions, coverage. Cells are text, perhaps with a state: a sign beside the
words, never a colour alone. As in ``page``, nothing is fetched and nothing runs, and foreign text is made inert.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.report.graph import Box
from watchword.report.graph import graph as drawn_graph
from watchword.report.html import Html, foreign, join, listed, table, tag, visible
from watchword.report.style import document
from watchword.report.svg import mark, spans


@dataclass(frozen=True)
class Cell:
    """Text of a cell; ``kind``: ``good``, ``bad``, ``warn`` or ``none`` set a sign before it; ``aside`` in small."""

    text: str
    kind: str = ""
    aside: str = ""


@dataclass(frozen=True)
class Plot:
    """Estimates with intervals, (name, low, at, high) each, on a scale from 0 to ``most`` ``unit``."""

    label: str
    rows: tuple[tuple[str, float, float, float], ...]
    most: float
    unit: str


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, and a table; a section without headings has no table.

    What its ``plots`` and its ``graph`` (boxes, and lines between them as in ``report.graph``) draw, a table says too:
    Markdown leaves them out.
    """

    title: str
    lead: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    plots: tuple[Plot, ...] = ()
    graph: tuple[tuple[Box, ...], tuple[tuple[int, int, str], ...]] | None = None


@dataclass(frozen=True)
class Board:
    """``what``: what kind of page; ``verdict``: one sentence, of ``kind`` ``good``, ``bad`` or ``warn``."""

    what: str
    title: str
    verdict: str
    kind: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


def render(board: Board) -> str:
    """The page as one HTML document, ending in a line feed."""
    verdict = tag(
        "div", mark(board.kind), tag("p", foreign(board.verdict)), class_=f"verdict {board.kind}", role="region",
        aria_label="Verdict",
    )  # fmt: skip
    contents = tag("ol", *(tag("li", tag("a", one.title, href=f"#s{n}")) for n, one in enumerate(board.sections, 1)))
    main = tag(
        "main",
        tag("div", tag("span", tag("b", "WATCHWORD"), f"  {board.what}"), class_="lead"),
        tag("h1", foreign(board.title)),
        verdict,
        tag("nav", contents, aria_label="Contents"),
        sections(board),
        listed([foreign(note) for note in board.notes], "limits") if board.notes else "",
        class_="sheet",
    )
    return document(board.title, main)


def sections(board: Board) -> Html:
    """Its sections alone, for a page that has a frame of its own."""
    return join(*(_section(n, one) for n, one in enumerate(board.sections, 1)))


def markdown(board: Board) -> str:
    """The same as Markdown."""
    parts = [f"# {_inert(board.title)}", _inert(board.verdict)]
    for one in board.sections:
        parts.append(f"## {_inert(one.title)}")
        if one.lead:
            parts.append(_inert(one.lead))
        if one.headings:
            cells = [tuple(map(_written, row)) for row in one.rows]
            rows = [tuple(map(_inert, one.headings)), ("---",) * len(one.headings), *cells]
            parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    if board.notes:
        parts.append("\n".join(f"- {_inert(note)}" for note in board.notes))
    return "\n\n".join(parts) + "\n"


SIGNS = {"good": "✓ ", "bad": "✗ ", "warn": "! ", "none": "- ", "": ""}


def _section(number: int, section: Section) -> Html:
    parts: list[str] = [tag("h2", f"{number}. {section.title}", id=f"s{number}")]
    if section.lead:
        parts.append(tag("p", foreign(section.lead)))
    for one in section.plots:
        if one.rows:
            picture = spans(one.label, list(one.rows), one.most, one.unit)
            parts += [tag("h3", one.label), tag("div", picture, class_="wide")]
    if section.graph is not None:
        picture = drawn_graph(section.title, *section.graph)
        parts.append(tag("div", picture, class_="wide", role="region", aria_label=section.title, tabindex="0"))
    if section.headings:
        rows = [tuple(map(_drawn, row)) for row in section.rows]
        parts.append(table(section.title, section.headings, rows))
    return tag("section", *parts)


def _drawn(cell: Cell) -> Html:
    shown = join(mark(cell.kind) if cell.kind else "", foreign(cell.text))
    return join(shown, tag("div", foreign(cell.aside), class_="quiet small") if cell.aside else "")


def _written(cell: Cell) -> str:
    aside = f" ({_inert(cell.aside)})" if cell.aside else ""
    return f"{SIGNS[cell.kind]}{_inert(cell.text)}{aside}"


def _inert(text: str) -> str:
    """*text* on one line, without what Markdown would read as a cell's end, a link or an element."""
    line = " ".join(visible(text).split())
    for character in "\\|<>[]`*_":
        line = line.replace(character, "\\" + character)
    return "\\" + line if line[:1] in tuple("#+-=~") else line
