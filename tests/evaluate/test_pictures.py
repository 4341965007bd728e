"""The page of a run: figures in words beside every picture, nothing fetched, foreign text inert."""

from __future__ import annotations

import json
import re

import pytest
from evaluate.planned import plan
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.evaluate.pictures import NoPictures, figures, page, read_pictured
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


def test_what_is_drawn_comes_from_the_attached_report() -> None:
    """Whoever holds the statement's attachment draws the same pictures as who made the run: by label as an SVG too, the
    most fallen first."""
    drawn = figures(read_pictured(result().encoded()))
    assert drawn in page(result()).decode()
    assert 'aria-label="what fell: 0 0.4 (0.121552 to 0.737622) ; 1 0.3 (0.0667395 to 0.652453) "' in drawn
    assert drawn.count("<svg") == 4


@pytest.mark.parametrize(
    "report",
    [b"", b"[]", b"{}", b"{" * 100_000, b'{"by_label": {"a": [2, 1]}}', b'{"by_label": {"a": [1]}}',
     b'{"by_label": {}, "curve": [{"eps": "nan", "k": 1, "n": 1}]}',
     b'{"by_label": {}, "curve": [{"eps": "0", "k": 2, "n": 1}]}',
     b'{"by_label": {}, "examples": [{"name": "a", "label": "b", "by": "c", "before": ["1e999"], "after": ""}]}'],
)  # fmt: skip
def test_a_report_of_another_form_has_no_pictures(report: bytes) -> None:
    """It comes from another member: malformed, contradictory and endless reports are named."""
    with pytest.raises(NoPictures, match="the report of the evaluation"):
        read_pictured(report)


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(st.text(max_size=9), st.integers(0, 50).map(lambda k: [k, 50]), max_size=60),
    st.lists(st.integers(0, 9), min_size=0, max_size=30), st.lists(st.integers(1, 70), max_size=4),
)  # fmt: skip
def test_anything_of_the_form_can_be_drawn(labels: dict[str, list[int]], numbers: list[int], shape: list[int]) -> None:
    """Whatever shape and numbers say, a page comes of it and no markup of theirs."""
    example = {"name": "<b>", "label": "<i>", "by": "<u>", "before": [str(one) for one in numbers], "after": "x",
               "shape": shape}  # fmt: skip
    other = example | {"after": example["before"]}
    report = {"by_label": labels, "curve": [{"eps": "0.1", "k": 1, "n": 2}], "examples": [example, other]}
    drawn = figures(read_pictured(json.dumps(report).encode()))
    assert "<b>" not in drawn and "<u>" not in drawn
