"""keras-import: a Keras configuration makes its loader import and run what no model needs.

Reported by the reader that met it.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-import",
    title="A Keras configuration makes its loader import and run what no model needs",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "Keras imports the module that stands beside a class or function in the configuration, and calls it "
        "as a layer. A configuration that names a function of the standard library, or one that reaches "
        "files, the network or code, runs it when the model is loaded (CVE-2024-3660, CVE-2025-1550, "
        "CVE-2025-8747, CVE-2025-9906)."
    ),
    remediation="Do not load the model. Report it to whoever supplied it.",
)
