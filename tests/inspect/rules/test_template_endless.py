"""Rule template-endless: rendering a template ends as soon as a conversation does."""

from __future__ import annotations

from inspect_samples import found, look

from watchword.inspect.facts import Verdict


def test_a_thousand_million_rounds_are_told() -> None:
    """A server that renders the template stands still."""
    told = {
        (finding.rule, finding.verdict)
        for finding in look(b"{% for i in range(10**9) %}x{% endfor %}", "chat_template.jinja").findings
    }
    assert ("template-endless", Verdict.SUSPICIOUS) in told


def test_a_round_for_each_message_is_silent() -> None:
    """Loops over messages and short ranges are what templates are made of."""
    assert (
        found(
            b"{% for i in range(10) %}x{% endfor %}{% for m in messages %}{{ m.content }}{% endfor %}",
            "chat_template.jinja",
        )
        == set()
    )
