"""Rule template-private: a template that takes a private attribute."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_private_attribute_is_suspicious() -> None:
    """An attribute that begins with an underscore belongs to the renderer's objects."""
    data = b"{{ message._hidden }}"
    assert told(data, "chat_template.jinja") == {("template-private", Verdict.SUSPICIOUS)}


def test_underscores_elsewhere_are_silent() -> None:
    """An underscore within a name, and a variable of the template's own, are nothing private."""
    data = b"{{ message.is_hidden }}{{ message['_hidden_'] == '_x' }}{% set _x = 1 %}{{ _x }}"
    assert look(data, "chat_template.jinja").findings == []
