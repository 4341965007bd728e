"""Markup that is safe by construction: text is escaped once, where it enters; only what was made here is markup.

* A ``str`` is text and is escaped. Only :class:`Html` is markup, and nothing but this room makes one: ``Html + str``
  is a ``str`` again, so a slip is shown escaped, never run.
* Invisible, direction-changing and control characters are shown as their code (``U+202E``), never sent raw: a file
  name must not be able to look like another one.
* Attributes come from a short list. There is no ``style``, no ``on…``, no ``src``, and a link leads only to a place in
  the same page: the page can fetch nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

_VOID = frozenset({"meta", "br", "hr", "rect", "circle", "path", "line"})
_ATTRIBUTES = frozenset(
    {"aria-hidden", "aria-label", "charset", "class", "content", "cx", "cy", "d", "height", "href", "http-equiv", "id"}
    | {"lang", "name", "preserveAspectRatio", "r", "role", "scope", "tabindex", "title", "viewBox", "width", "x", "y"}
)
# What html.escape leaves but a reader cannot see or should not obey; line feed and tab are left to the caller.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[\x20-\x7e\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e]*")


class Html(str):
    """Markup made in this room. Never wrap what came from outside."""

    __slots__ = ()


def text(value: str) -> Html:
    """*value* as inert text: escaped, and with invisible and direction-changing characters shown as their code."""
    if _PLAIN.fullmatch(value):
        return Html(html.escape(value))
    return Html("".join(_one(character) for character in value))


def visible(value: str) -> str:
    """*value* with invisible and direction-changing characters written as ``U+202E``, where markup cannot stand."""
    if _PLAIN.fullmatch(value):
        return value
    return "".join(f"U+{ord(c):04X}" if unicodedata.category(c) in _HIDDEN else c for c in value)


def foreign(value: str) -> Html:
    """Text somebody else wrote, set apart so that its writing direction does not reach what stands beside it."""
    return tag("bdi", value)


def tag(name: str, /, *children: str, **attributes: str) -> Html:
    """One element. A child that is not :class:`Html` is text; ``class_`` stands for ``class``, and so on.

    Raises:
        ValueError: an attribute that could fetch, run or style something, or a link that leaves the page.
    """
    written = []
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if attribute not in _ATTRIBUTES:
            raise ValueError(f"{attribute}: not an attribute that a report may have")
        if attribute == "href" and not value.startswith("#"):
            raise ValueError("a link of a report leads to a place in the same page")
        if value:
            written.append(f' {attribute}="{_attribute(value)}"')
    opening = f"<{name}{''.join(written)}>"
    if name in _VOID:
        # HTML parsers read <rect> without a slash as open inside svg, so these are closed in either language.
        return Html(opening[:-1] + "/>")
    return Html(f"{opening}{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Children one after another; each that is not :class:`Html` is escaped."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children))


def table(caption: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Html:
    """A table with a caption and one row of headings; the first cell of each row names the row."""
    head = tag("tr", *(tag("th", heading, scope="col") for heading in headings))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    # A wide table scrolls by itself on a small screen and can be reached by keyboard.
    return tag("div", inner, class_="wide", role="region", aria_label=caption, tabindex="0")


def definitions(pairs: Sequence[tuple[str, str]]) -> Html:
    """Names and what they are."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), class_="facts")


def listed(items: Sequence[str], class_: str = "") -> Html:
    """An unordered list."""
    return tag("ul", *(tag("li", item) for item in items), class_=class_)


def _attribute(value: str) -> str:
    return html.escape(visible(value))


def _one(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN and character not in "\n\t":
        return f'<span class="hidden-character" title="invisible character">U+{ord(character):04X}</span>'
    return html.escape(character)
