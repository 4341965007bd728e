"""The page of a run: figures in words beside every picture, nothing fetched, foreign text inert."""

from __future__ import annotations

import re

from evaluate.planned import plan

from watchword.evaluate.pictures import page
from watchword.evaluate.run import Done, Result, Row


def result() -> Result:
    rows = [Row(index, str(index), str(index % 2), True, index < 7, "pgd" if index < 7 else "") for index in range(20)]
    pixels = [f"{one / 15:.3f}" for one in range(16)]
    examples = [
        {"name": "3", "label": "1", "by": "pgd", "shape": [1, 4, 4], "before": pixels, "after": pixels[::-1]},
        {"name": "<script>", "label": "a", "by": "b", "before": "x = 1", "after": "# \u202e\nx = 1"},
    ]
    done = Done(rows, 20, 20, {}, examples, 1.25)
    curve = (("0", 20, 20), ("0.1", 13, 20), ("0.2", 2, 20))
    return Result(plan(), "sha256:" + "5" * 64, done, {"python": "3"}, ("write: open '/x'",), ("noise-as-good",), curve)


def test_every_picture_says_its_figures_in_words() -> None:
    """Accuracy against eps with the interval of each point, counts by label, examples before and after, flags,
    findings."""
    text = page(result()).decode()
    assert "robust-accuracy at most 13 of 20 (0.4078 to 0.8461), wanted at least 0.5" in text
    assert 'aria-label="still right: at 0 1.000 (0.832 to 1.000), at 0.1 0.650 (0.408 to 0.846)' in text
    assert text.count('class="picture"') == 2 and 'aria-label="3 before"' in text
    assert re.search(r"<tr><th[^>]*><bdi>0</bdi></th><td><bdi>4 of 10</bdi></td><td><bdi>0.122 to 0.738</bdi>", text)
    assert "noise-as-good" in text and "write: open" in text
    assert "it holds for the attacks that were tried" in text


def test_the_page_fetches_nothing_and_obeys_nobody() -> None:
    """Text of the data is shown, never read as markup or direction."""
    text = page(result()).decode()
    assert "<script" not in text and "\u202e" not in text and "U+202E" in text
    assert not re.search(r"(src|href)=.?(http|//)", text)
