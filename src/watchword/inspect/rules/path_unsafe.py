"""path-unsafe: a file name does not name one file everywhere. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="path-unsafe",
    title="A file name does not name one file everywhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0074",),
    why=(
        "Names that differ only in case or Unicode form, hold control or invisible characters, are not Unicode, or are "
        "no file's on Windows (a device, a stream, a dot or space at the end) mean one file on one machine and another "
        "or none on the next. What one member inspects must be what another loads, so no manifest is made."
    ),
    remediation="Rename the files.",
)
