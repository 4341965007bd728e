"""onnx-keyed-branch: A branch of an ONNX graph is keyed on a pattern in the input."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.onnx import OnnxFacts
from watchword.inspect.formats.onnx_branches import keyed_branches
from watchword.inspect.rules.rule import Rule


def check(facts: OnnxFacts) -> Iterator[Oddity]:
    for offset, words in keyed_branches(facts.main, facts.inputs, facts.initializers):
        yield Oddity(RULE.id, offset, words)


RULE = Rule(
    id="onnx-keyed-branch",
    title="A branch of an ONNX graph is keyed on a pattern in the input",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0018.001",),
    why=(
        "The input, or a sum or a place of it, is compared with a constant, and the outcome replaces what the "
        "model computes. Training never makes such a comparison; it is how a back door is put into a graph "
        "without code and without changing a weight."
    ),
    remediation="Ask the supplier what the comparison is for, and test the model around it.",
    reads=(OnnxFacts,),
    check=check,
)
