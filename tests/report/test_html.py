from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.report.html import Html, foreign, join, tag, text, visible


class Texts(HTMLParser):
    """What a browser would show, and the tags that it would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.shown = ""

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        self.shown += "".join(value or "" for key, value in attributes if key == "data")

    def handle_data(self, data: str) -> None:
        self.shown += data


def read(markup: str) -> Texts:
    parser = Texts()
    parser.feed(markup)
    parser.close()
    return parser


def test_text_from_outside_is_never_markup() -> None:
    """Fails when escaping is removed: a file name that is a script is shown, not run."""
    seen = read(tag("td", "<script>alert(1)</script>", foreign("<img src=x onerror=alert(1)>")))
    assert seen.tags == ["td", "bdi"]
    assert seen.shown == "<script>alert(1)</script><img src=x onerror=alert(1)>"


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_every_text_is_shown_as_it_is_or_by_its_code(value: str) -> None:
    """Nothing of a text is lost: each character is there, or its code is."""
    seen = read(tag("p", value))
    assert set(seen.tags) <= {"p", "span"}
    expected = visible(value.replace("\n", "A").replace("\t", "B")).replace(" ", "")
    assert seen.shown.replace("\n", "A").replace("\t", "B").replace(" ", "") == expected


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_an_attribute_cannot_be_left(value: str) -> None:
    """Quotes, angles and invisible characters in a title stay inside the title."""
    seen = read(tag("p", "x", title=value))
    assert seen.tags == ["p"]
    assert seen.shown == "x"


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x00", "\u2028", "\U000e0041"])
def test_characters_that_deceive_the_eye_are_shown_by_their_code(hidden: str) -> None:
    """Right-to-left marks and invisible characters never reach the page raw; fails when the category check goes."""
    name = f"report{hidden}gpj.exe"
    assert hidden not in text(name)
    assert hidden not in tag("p", "x", title=name)
    assert f"U+{ord(hidden):04X}" in text(name)
    assert visible(name) == f"reportU+{ord(hidden):04X}gpj.exe"


def test_letters_of_all_scripts_stay_letters() -> None:
    """Names in any writing system are shown as they are, each set apart from its neighbours' direction."""
    assert "Łódź 北京 שלום" in foreign("Łódź 北京 שלום")
    assert read(foreign("שלום")).tags == ["bdi"]


def test_markup_added_to_text_is_text_again() -> None:
    """A slip with ``+`` or an f-string is shown escaped, never run."""
    slip = Html("<b>") + "<script>"
    assert not isinstance(slip, Html)
    assert join(slip) == "&lt;b&gt;&lt;script&gt;"


@pytest.mark.parametrize(
    "attribute", ["style", "onclick", "src", "srcset", "formaction", "xlink:href", "data", "background"]
)
def test_no_attribute_that_fetches_runs_or_styles(attribute: str) -> None:
    """The list of attributes is a list of what is allowed."""
    with pytest.raises(ValueError, match=re.escape(attribute.replace("_", "-"))):
        tag("p", "x", **{attribute: "x"})


@pytest.mark.parametrize("target", ["https://example.org", "javascript:alert(1)", "//example.org", "data:text/html,x"])
def test_no_link_leaves_the_page(target: str) -> None:
    """Only a place in the same page may be linked to."""
    with pytest.raises(ValueError, match="same page"):
        tag("a", "x", href=target)
    assert 'href="#check"' in tag("a", "x", href="#check")
