"""pickle-frame: frames cut through opcodes, so unpicklers disagree. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="pickle-frame",
    title="Frames cut through opcodes, so unpicklers disagree",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0076", "AML.T0018.002"),
    why=(
        "From protocol 4 on, opcodes come in frames whose length stands before them. Picklers end a frame between "
        "two opcodes. Where a frame ends within one, the unpickler written in C silently drops the part before "
        "the end when it reads from a stream, reads on as if nothing were when it reads from memory, and the one "
        "written in Python stops with an error. A name can so be hidden from one and shown to another. Both "
        "readings were judged here."
    ),
    remediation="Do not load the file. Ask the supplier to save the model again with an ordinary pickler.",
)
