"""tf-custom-op: a TensorFlow graph needs operators that are native code from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts
from watchword.inspect.formats.tensorflow_ops import is_known
from watchword.inspect.rules.rule import Rule


def check(facts: GraphFacts) -> Iterator[Oddity]:
    for scope in facts.scopes:
        for op, offset in scope.ops.items():
            if op and op not in facts.functions and not is_known(op):
                yield Oddity(RULE.id, offset, f"needs the operator {op}, which is not TensorFlow's", op)


RULE = Rule(
    id="tf-custom-op",
    title="A TensorFlow graph needs operators that are native code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "The operator is not one of TensorFlow nor of the libraries that published models commonly need. "
        "Whoever runs the model must load a shared library that was not inspected."
    ),
    remediation="Ask the supplier for the source of the operator library, or for a model without it.",
    reads=(GraphFacts,),
    check=check,
)
