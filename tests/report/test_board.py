"""Boards: pages and Markdown of what is compared."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.report.board import Board, Cell, Section, markdown, render

HOSTILE = "<script>alert(1)</script>|[x](javascript:1)\n\u202e"


def board(text: str) -> Board:
    """A board with *text* wherever text can stand."""
    section = Section(text, text, (text, "b"), ((Cell(text, "bad", text), Cell(text)),))
    return Board(text, text, text, "warn", (section,), (text,))


def test_a_page_fetches_and_runs_nothing() -> None:
    """Foreign text is shown, not obeyed; fails if the cells were not escaped."""
    page = render(board(HOSTILE))
    assert "<script" not in page and "\u202e" not in page
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_each_heading_is_reached_from_the_contents() -> None:
    """A link of the contents leads to a section that is there."""
    page = render(board("x"))
    assert 'href="#s1"' in page and 'id="s1"' in page


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_a_cell_stays_a_cell(text: str) -> None:
    """No text breaks the table out of its columns, on the page or in Markdown."""
    class Cells(HTMLParser):
        found = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += tag in ("td", "th")

    cells = Cells()
    cells.feed(render(board(text)))
    assert cells.found == 4
    rows = [line for line in markdown(board(text)).split("\n") if line.startswith("| ")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows} == {3}
