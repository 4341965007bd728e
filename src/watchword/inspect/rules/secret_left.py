"""secret-left: a key or token left in a file. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="secret-left",
    title="A secret was left in the file",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0055",),
    why=(
        "A key or token in a release is in everybody's hands who has the release. It also tells whose machine the "
        "release was made on, and may open the account that it is delivered from."
    ),
    remediation=(
        "Tell the supplier; the secret must be revoked at its issuer, since taking it out of the file does not take "
        "it back."
    ),
)
