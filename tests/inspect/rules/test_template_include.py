"""Rule template-include: a template that takes in files from elsewhere."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_an_include_by_an_absolute_path_is_suspicious() -> None:
    """What is included by an absolute path is not part of the release."""
    data = b"{% include '/etc/passwd' %}"
    assert told(data, "chat_template.jinja") == {("template-include", Verdict.SUSPICIOUS)}


def test_a_text_that_only_says_include_is_silent() -> None:
    """Prose and an attribute of that name take nothing in."""
    data = b"{{ 'please include /etc/passwd' }}{{ message.include }}"
    assert look(data, "chat_template.jinja").findings == []
