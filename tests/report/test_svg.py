from __future__ import annotations

import re

from watchword.report.svg import dots, share_bar


def widths(picture: str) -> list[float]:
    return [float(width) for width in re.findall(r'<rect[^>]* width="([0-9.]+)"', picture)]


def test_a_small_part_is_seen_and_the_bar_keeps_its_length() -> None:
    """One dangerous file among 100,000 is drawn wide enough to be seen."""
    drawn = widths(share_bar("Files", [("dangerous", 1, "bad"), ("nothing found", 99_999, "good")]))
    assert drawn[0] >= 6
    assert abs(sum(drawn) - 640) < 0.2


def test_the_bar_says_its_numbers_in_words() -> None:
    """Readers who cannot see it hear the same; parts of zero are left out."""
    bar = share_bar("Files", [("dangerous", 0, "bad"), ("nothing found", 12, "good")])
    assert 'aria-label="Files: 12 nothing found"' in bar
    assert "dangerous" not in bar


def test_nothing_is_drawn_of_nothing() -> None:
    """No division by zero, no empty picture."""
    assert share_bar("Files", []) == ""


def test_dots_are_bounded() -> None:
    """A requirement that asks for a million is not a million circles."""
    assert dots("x", 3, 1_000_000).count("<circle") == 12
    assert dots("1 of 2", 1, 2).count('class="full"') == 1
