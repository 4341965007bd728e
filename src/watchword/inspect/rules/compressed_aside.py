"""compressed-aside: a compressed stream carries bytes that decoders pass over. Reported by the reader that met them."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="compressed-aside",
    title="A compressed stream carries bytes that decoders pass over",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.002",),
    why=(
        "Extra fields and comments of gzip and skippable frames of zstd are in the file and not in what is unpacked. "
        "Writers of models leave them empty. The bytes were judged as a file of their own as well."
    ),
    remediation="Ask the supplier what the bytes are, or for a file without them.",
)
