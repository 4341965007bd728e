"""safetensors-name: A tensor is named like a path out of a folder. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="safetensors-name",
    title="A tensor is named like a path out of a folder",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "Tools that write each tensor to a file of its name, as converters do, write where such a name leads. "
        "Names with control characters are not what they look like on a screen."
    ),
    remediation="Ask the supplier to save the file again with ordinary names.",
)
