"""keras-file: a Keras layer reads a file or an address that is named in the configuration.

Reported by the reader that met it.
"""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="keras-file",
    title="A Keras layer reads a file or an address that is named in the configuration",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0010.003"),
    why=(
        "Lookup layers open the file that their vocabulary names, also by URL, and TFSMLayer loads and runs "
        "another model. A path out of the archive makes the loader read any file that the user may read, or "
        "fetch and run what was not inspected (CVE-2025-12058 and its kind)."
    ),
    remediation="Do not load the model. Ask the supplier for one that holds its vocabulary itself.",
)
