"""hdf5-broken: the HDF5 file cannot be followed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="hdf5-broken",
    title="The HDF5 file cannot be followed",
    verdict=Verdict.UNREADABLE,
    severity="high",
    confidence="high",
    atlas=("AML.T0076",),
    why=(
        "A header, a heap or a group is malformed or cut off, so part of the file was not seen. A lenient "
        "reader may still load it."
    ),
    remediation="Ask the supplier for an intact file.",
)
