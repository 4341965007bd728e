"""hdf5-outside: an HDF5 file holds bytes that no part of it owns. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="hdf5-outside",
    title="An HDF5 file holds bytes that no part of it owns",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Bytes in front of the superblock, or behind the end that it states, are invisible to the library. "
        "They may carry a payload, or make the file something else to another reader. They were judged as a "
        "file of their own."
    ),
    remediation="Ask the supplier to save the file again with the library itself.",
)
