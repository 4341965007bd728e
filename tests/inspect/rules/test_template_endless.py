"""Rule template-endless: rendering a template ends as soon as a conversation does."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_thousand_million_rounds_are_told() -> None:
    """A server that renders the template stands still."""
    assert ("template-endless", Verdict.SUSPICIOUS) in told(
        b"{% for i in range(10**9) %}x{% endfor %}", "chat_template.jinja"
    )


def test_a_round_for_each_message_is_silent() -> None:
    """Loops over messages and short ranges are what templates are made of."""
    assert (
        found(
            b"{% for i in range(10) %}x{% endfor %}{% for m in messages %}{{ m.content }}{% endfor %}",
            "chat_template.jinja",
        )
        == set()
    )
