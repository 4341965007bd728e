"""symlink-escape: a symbolic link leads out of the release. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="symlink-escape",
    title="A symbolic link leads out of the release",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0010.003",),
    why=(
        "A loader that follows the link reads a file that is not part of the release: it was not looked at, no "
        "digest covers it, and it differs from machine to machine. The verdict is unreadable and not dangerous "
        "because download caches of models are made of such links. No manifest is made."
    ),
    remediation="Deliver the files themselves: copy the folder with links resolved (cp -rL).",
)
