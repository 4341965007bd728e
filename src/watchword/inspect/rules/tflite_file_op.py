"""tflite-file-op: A TensorFlow Lite model reaches files, the network or Python."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow_ops import NETWORK, PYTHON, READS, WRITES
from watchword.inspect.formats.tflite import LiteFacts
from watchword.inspect.rules.rule import Rule

_REACHING = READS | WRITES | NETWORK | PYTHON


def check(facts: LiteFacts) -> Iterator[Oddity]:
    for name, offset in facts.custom.items():
        op = name.removeprefix("Flex")
        if op in _REACHING:
            yield Oddity(RULE.id, offset, f"the operator {op} reaches files, the network or Python", name)


RULE = Rule(
    id="tflite-file-op",
    title="A TensorFlow Lite model reaches files, the network or Python",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "Flex operators are those of TensorFlow, run with the rights of whoever runs the model. One that "
        "reads or writes files, speaks to other machines or calls Python does more than compute."
    ),
    remediation="Do not run the model. Report it to whoever supplied it.",
    reads=(LiteFacts,),
    check=check,
)
