"""inspector-failed: the inspector itself failed on this file."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="inspector-failed",
    title="The inspector itself failed on this file",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=(),
    why=(
        "A reader of this file raised an error that it should not have, or the process that judged it died: a bug of "
        "the inspector or of a plugin, or a file made to provoke one. What was found before that still counts; the "
        "rest was not looked at, so nothing may be concluded from silence."
    ),
    remediation=(
        "Do not load the file. Run again with WATCHWORD_DEBUG=1 to see where it arose, and report it with the file if "
        "you may share it."
    ),
)
