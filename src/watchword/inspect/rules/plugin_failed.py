"""plugin-failed: a plugin that was asked about this file failed."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="plugin-failed",
    title="A plugin that was asked about this file failed",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=(),
    why=(
        "A rule or format of a plugin, which the command named, raised an error on this file. What our own rules found "
        "stands, and what the plugin had found before; but it was named because it sees what they do not, so nothing "
        "may be concluded from its silence."
    ),
    remediation=(
        "Run again with WATCHWORD_DEBUG=1 to see where it failed, report it to the plugin's maker, or leave the plugin "
        "out and accept what the result then does not cover."
    ),
)
