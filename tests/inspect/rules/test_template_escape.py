"""Rule template-escape: a template that leads out into the program that renders it."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_items_that_lead_to_the_globals_are_dangerous() -> None:
    """Names with two underscores are followed by item as well as by attribute."""
    data = b"{{ cycler['__init__']['__globals__']['os'].getpid() }}"
    assert told(data, "chat_template.jinja") == {("template-escape", Verdict.DANGEROUS)}


def test_a_text_that_only_mentions_a_class_is_silent() -> None:
    """Words in a text, and a placeholder with underscores, lead nowhere."""
    data = b"{{ 'call os.system() or __class__ to see' }}{{ x.replace('__NAME__', name) }}"
    assert look(data, "chat_template.jinja").findings == []
