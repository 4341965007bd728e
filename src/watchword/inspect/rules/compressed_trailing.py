"""compressed-trailing: bytes follow the end of the compressed stream. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="compressed-trailing",
    title="Bytes follow the end of the compressed stream",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.002",),
    why=(
        "Decompression stops at the end of the stream and loaders ignore what follows. Nobody has looked at these "
        "bytes, and another program may."
    ),
    remediation="Ask the supplier what the bytes are, or for a file without them.",
)
