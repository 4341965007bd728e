"""tf-python-op: a TensorFlow graph calls Python functions of the program that runs it."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts
from watchword.inspect.formats.tensorflow_ops import PYTHON
from watchword.inspect.rules.rule import Rule


def check(facts: GraphFacts) -> Iterator[Oddity]:
    for scope in facts.scopes:
        for op in sorted(scope.ops.keys() & PYTHON):
            yield Oddity(
                RULE.id, scope.ops[op], f"the operator {op} calls a Python function that is not in the file", op
            )


RULE = Rule(
    id="tf-python-op",
    title="A TensorFlow graph calls Python functions of the program that runs it",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.001",),
    why=(
        "PyFunc operators call a function of the running Python program by a number. The function is not in "
        "the file, so what is called is not known, and the model runs nowhere but beside that program."
    ),
    remediation="Ask the supplier for a model without them.",
    reads=(GraphFacts,),
    check=check,
)
