"""tf-file-write: a TensorFlow graph writes files."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts
from watchword.inspect.formats.tensorflow_ops import WRITES
from watchword.inspect.rules.rule import Rule


def check(facts: GraphFacts) -> Iterator[Oddity]:
    for scope in facts.scopes:
        for op in sorted(scope.ops.keys() & WRITES):
            yield Oddity(RULE.id, scope.ops[op], f"the operator {op} writes files", op)


RULE = Rule(
    id="tf-file-write",
    title="A TensorFlow graph writes files",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "Operators of the graph run with the rights of whoever runs the model. One that writes files can "
        "replace a start-up script or a key of the user; no model needs it to compute."
    ),
    remediation="Do not load the model. Report it to whoever supplied it.",
    reads=(GraphFacts,),
    check=check,
)
