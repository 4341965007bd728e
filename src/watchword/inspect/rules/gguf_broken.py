"""gguf-broken: the GGUF file breaks the rules of its format. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="gguf-broken",
    title="The GGUF file breaks the rules of its format",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "Counts, lengths, shapes and places in the header are believed by readers written in C; ones that do "
        "not fit the file have been ways to overwrite their memory (CVE-2024-21825 and its kind). Keys or "
        "tensors that stand there twice mean one thing to one reader and another to the next."
    ),
    remediation="Do not load the file. Ask the supplier to convert the model again.",
)
