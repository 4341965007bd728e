"""msgpack-extra: A MessagePack file holds what no writer of parameters puts there.

Reported by the reader that met it.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="msgpack-extra",
    title="A MessagePack file holds what no writer of parameters puts there",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "Flax writes one map of arrays, in extension types 1 to 3. Another extension type means what a "
        "program makes of it, and bytes after the map are seen by nobody."
    ),
    remediation="Ask the supplier to save the parameters again with the library itself.",
)
