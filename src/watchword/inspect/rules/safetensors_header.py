"""safetensors-header: the safetensors header breaks the rules of the format. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="safetensors-header",
    title="The safetensors header breaks the rules of the format",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "The format was made so that a file has exactly one meaning: one header, no duplicate keys, offsets that "
        "agree with types and shapes. A file that breaks a rule is read differently by different readers."
    ),
    remediation="Ask the supplier to save the file again with the reference library.",
)
