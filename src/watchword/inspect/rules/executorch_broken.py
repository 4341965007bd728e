"""executorch-broken: an ExecuTorch program contradicts itself. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="executorch-broken",
    title="The ExecuTorch program contradicts itself",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "An offset or a segment leads out of the file. The runtime is native code that follows offsets, and not every "
        "build of it checks them."
    ),
    remediation="Ask the supplier to export the program again.",
)
