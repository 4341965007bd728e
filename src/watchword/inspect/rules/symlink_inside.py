"""symlink-inside: a symbolic link within the release. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="symlink-inside",
    title="A symbolic link within the release",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.003",),
    why=(
        "The manifest names regular files. A link to one of them is not covered by any digest: changing where it "
        "leads changes what is loaded and leaves the manifest as it is. No manifest is made."
    ),
    remediation="Deliver the files themselves: copy the folder with links resolved (cp -rL).",
)
