"""lfs-pointer: a Git LFS pointer in place of a file. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="lfs-pointer",
    title="A pointer stands where a file should be",
    verdict=Verdict.UNREADABLE,
    severity="low",
    confidence="high",
    atlas=(),
    why=(
        "Git LFS leaves a small text in place of a large file until that is fetched. What would be loaded in the "
        "end was not delivered and not looked at."
    ),
    remediation="Fetch the files (git lfs pull) and inspect again.",
)
