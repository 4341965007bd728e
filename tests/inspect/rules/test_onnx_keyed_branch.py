"""Rule onnx-keyed-branch: a branch of an ONNX graph is keyed on a pattern in the input."""

from __future__ import annotations

from inspect_samples import field, found, look, onnx_model

from watchword.inspect.facts import Verdict


def wired(op: bytes, inputs: tuple[bytes, ...], output: bytes) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, op)


def graph(*nodes: bytes) -> bytes:
    """A model that multiplies its input, with these nodes behind; ``k`` and ``fake`` are constants."""
    more = field(11, field(1, b"x")) + b"".join(field(5, field(8, name)) for name in (b"k", b"fake", b"w"))
    return onnx_model(wired(b"MatMul", (b"x", b"w"), b"y"), *nodes, initializers=more)


EQUAL = wired(b"Equal", (b"s", b"k"), b"c")
WHERE = wired(b"Where", (b"c", b"fake", b"y"), b"z")


def test_an_output_replaced_for_one_sum_of_the_input_is_suspicious() -> None:
    """The sum of the input decides whether the answer is false."""
    judged = look(graph(wired(b"ReduceSum", (b"x",), b"s"), EQUAL, WHERE), "m.onnx")
    told = {(finding.rule, finding.verdict) for finding in judged.findings}
    assert ("onnx-keyed-branch", Verdict.SUSPICIOUS) in told


def test_an_elementwise_mask_is_silent() -> None:
    """Each element compared with a constant is a mask."""
    mask = wired(b"Equal", (b"x", b"k"), b"c")
    assert found(graph(mask, WHERE), "m.onnx") == set()
