"""An inspection as a notebook shows it."""

from __future__ import annotations

import html
from pathlib import Path

from watchword.inspect import inspect_path, render_text
from watchword.report.cell import cell


def test_what_turns_or_hides_text_is_shown_as_its_code() -> None:
    """A name that would read from right to left, or not at all, in a cell."""
    assert cell("a\u202egpj.pkl\n\0<b>") == "<pre>a\\u202egpj.pkl\n\\x00&lt;b&gt;</pre>"


def test_a_name_in_a_release_is_no_markup_in_a_notebook(tmp_path: Path) -> None:
    """The text that the command prints, and a file whose name is a script stays a name. Seen to fail without the
    escaping."""
    tmp_path.joinpath("<script>alert(1)<").with_suffix(".pkl").write_bytes(b"\x80\x02cposix\nsystem\n(X\2\0\0\0idtR.")
    inspection = inspect_path(tmp_path)
    shown = inspection._repr_html_()
    assert "<script" not in shown
    assert html.unescape(shown) == f"<pre>{render_text(inspection)}</pre>"
    assert "dangerous[pickle-call]" in shown
