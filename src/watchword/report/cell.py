"""What a notebook shows of a verdict: the text that the command prints, in which nothing is markup or hides."""

from __future__ import annotations

from html import escape


def cell(text: str) -> str:
    """*text* as the HTML of a cell; what does not print, or turns the direction of what does, is shown as its code."""
    shown = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)
    return f"<pre>{escape(''.join(shown))}</pre>"
