"""file-unreadable: the file could not be opened or read. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="file-unreadable",
    title="The file could not be opened or read",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=(),
    why=(
        "What cannot be read cannot be judged or named in a manifest. A file that one account cannot read may be "
        "read by the account that loads the model."
    ),
    remediation="Give the inspecting account read permission, or take the file out of the release.",
)
