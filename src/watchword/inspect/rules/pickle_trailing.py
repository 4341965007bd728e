"""pickle-trailing: bytes follow the end of the pickle. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="pickle-trailing",
    title="Bytes follow the end of the pickle",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.002",),
    why=(
        "A loader stops at the end of the pickle and never looks at what follows; another program may. Known "
        "formats that put raw data there (joblib, PyTorch before 1.6) are accounted for to the byte, so these "
        "bytes belong to nobody."
    ),
    remediation="Ask the supplier what the bytes are, or for a file without them.",
)
