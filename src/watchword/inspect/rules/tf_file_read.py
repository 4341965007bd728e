"""tf-file-read: a TensorFlow graph reads files while it computes."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts
from watchword.inspect.formats.tensorflow_ops import READS
from watchword.inspect.rules.rule import Rule


def check(facts: GraphFacts) -> Iterator[Oddity]:
    for scope in facts.scopes:
        for op in sorted(scope.ops.keys() & READS):
            yield Oddity(RULE.id, scope.ops[op], f"the operator {op} reads files", op)


RULE = Rule(
    id="tf-file-read",
    title="A TensorFlow graph reads files while it computes",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.001",),
    why=(
        "A graph that reads files takes in more than its input and its weights. Pipelines that load images by "
        "name look so, and models that collect what is on the machine too."
    ),
    remediation="Ask the supplier what is read, or for the model without its input pipeline.",
    reads=(GraphFacts,),
    check=check,
)
