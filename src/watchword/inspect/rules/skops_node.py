"""skops-node: a node of a skops archive would reach code, or is not what it says to the audit."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="skops-node",
    title="A node of a skops archive would reach code, or is not what it says",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.002", "AML.T0011.000"),
    why=(
        "skops builds only what its user trusts by name. A node that names a function which executes code, reaches "
        "files or commands, or that is audited under one name and built under another, asks for trust that ends in "
        "execution."
    ),
    remediation="Do not load the archive, and trust none of the names that it asks for.",
)
