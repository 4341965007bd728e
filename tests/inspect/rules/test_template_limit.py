"""Rule template-limit: a template that is deeper than is parsed."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_nesting_beyond_what_is_parsed_is_unreadable() -> None:
    """Five hundred brackets inside each other are told and not followed."""
    data = b"{{ " + b"(" * 500 + b")" * 500 + b" }}"
    assert told(data, "chat_template.jinja") == {("template-limit", Verdict.UNREADABLE)}


def test_twenty_brackets_are_silent() -> None:
    """Nesting within the bound is parsed to its end."""
    data = b"{{ " + b"(" * 20 + b"x" + b")" * 20 + b" }}"
    assert look(data, "chat_template.jinja").findings == []
