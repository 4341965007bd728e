"""A picture of what rests on what: boxes in columns, lines between them, drawn as SVG inside the page.

A box stands one column right of the first that leads to it. What the picture shows, the table beside it says in words;
its label names every box for readers who cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchword.report.html import Html, join, tag, visible
from watchword.report.svg import MARKS

BOX_WIDTH, BOX_HEIGHT, ACROSS, DOWN = 172, 38, 208, 50
LETTERS = 25
"""Letters of one line in a box. Origin: what fits at its size."""


@dataclass(frozen=True)
class Box:
    """A box: two lines of text, and ``kind`` (``good``, ``bad``, ``warn``, ``none``), shown as a sign and a colour."""

    title: str
    aside: str
    kind: str


def graph(label: str, boxes: Sequence[Box], lines: Sequence[tuple[int, int, str]]) -> Html:
    """Boxes, the first leftmost, and lines (from, to, kind) between them by their places.

    A line of kind ``bad`` is broken; any other holds.
    """
    if not boxes:
        return join()
    columns = _columns(len(boxes), lines)
    rows: dict[int, int] = {}
    corners = []
    for column in columns:
        row = rows.get(column, 0)
        rows[column] = row + 1
        corners.append((4 + ACROSS * column, 4 + DOWN * row))
    drawn = [
        tag("path", d=_curve(corners[start], corners[end]), class_=f"wire {kind}") for start, end, kind in lines
    ]
    for (x, y), box in zip(corners, boxes, strict=True):
        size = {"width": str(BOX_WIDTH), "height": str(BOX_HEIGHT)}
        drawn += [
            tag("rect", x=str(x), y=str(y), **size, class_=f"box {box.kind}"),
            tag("svg", tag("path", d=MARKS[box.kind]), x=str(x + 4), y=str(y + 4), width="14", height="14",
                viewBox="0 0 16 16", class_=f"mark {box.kind}"),
            tag("text", _cut(box.title, LETTERS - 3), x=str(x + 22), y=str(y + 15), class_="axis"),
            tag("text", _cut(box.aside, LETTERS), x=str(x + 6), y=str(y + 31), class_="axis aside"),
        ]  # fmt: skip
    wide = ACROSS * max(columns) + BOX_WIDTH + 8
    tall = DOWN * max(rows.values()) + 8
    spoken = "; ".join(f"{box.title}, {box.aside}" for box in boxes)
    return tag(
        "svg", *drawn, class_="graph", viewBox=f"0 0 {wide} {tall}", width=str(wide), height=str(tall), role="img",
        aria_label=f"{label}: {spoken}",
    )  # fmt: skip


def _columns(count: int, lines: Sequence[tuple[int, int, str]]) -> list[int]:
    """The column of each box: one more than the first box that leads to it; 0 where none does."""
    columns: list[int | None] = [None] * count
    after: dict[int, list[int]] = {}
    for start, end, _ in lines:
        after.setdefault(start, []).append(end)
    for root in range(count):
        if columns[root] is not None:
            continue
        columns[root], waiting = 0, [root]
        for here in waiting:
            for there in after.get(here, ()):
                if columns[there] is None:
                    columns[there] = (columns[here] or 0) + 1
                    waiting.append(there)
    return [column or 0 for column in columns]


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT // 2
    to_x, to_y = end[0], end[1] + BOX_HEIGHT // 2
    middle = (x + to_x) // 2
    return f"M{x} {y} C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def _cut(text: str, letters: int) -> str:
    shown = visible(text)
    return shown if len(shown) <= letters else shown[: letters - 1] + "…"
