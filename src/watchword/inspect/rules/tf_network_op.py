"""tf-network-op: a TensorFlow graph speaks to other machines."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts
from watchword.inspect.formats.tensorflow_ops import NETWORK
from watchword.inspect.rules.rule import Rule


def check(facts: GraphFacts) -> Iterator[Oddity]:
    for scope in facts.scopes:
        for op in sorted(scope.ops.keys() & NETWORK):
            yield Oddity(RULE.id, scope.ops[op], f"the operator {op} speaks to other processes or machines", op)


RULE = Rule(
    id="tf-network-op",
    title="A TensorFlow graph speaks to other machines",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0025"),
    why=(
        "Operators that call other processes or machines can carry data out, or let somebody else decide what "
        "is computed."
    ),
    remediation="Do not run the model. Ask the supplier for one without these operators.",
    reads=(GraphFacts,),
    check=check,
)
