"""Rule onnx-keyed-branch: a branch of an ONNX graph is keyed on a pattern in the input."""

from __future__ import annotations

from inspect_samples import found, onnx_branching, told, wired

from watchword.inspect.facts import Verdict

EQUAL = wired(b"Equal", (b"s", b"k"), b"c")
WHERE = wired(b"Where", (b"c", b"fake", b"y"), b"z")


def test_an_output_replaced_for_one_sum_of_the_input_is_suspicious() -> None:
    """The sum of the input decides whether the answer is false."""
    assert ("onnx-keyed-branch", Verdict.SUSPICIOUS) in told(
        onnx_branching(wired(b"ReduceSum", (b"x",), b"s"), EQUAL, WHERE), "m.onnx"
    )


def test_an_elementwise_mask_is_silent() -> None:
    """Each element compared with a constant is a mask."""
    mask = wired(b"Equal", (b"x", b"k"), b"c")
    assert found(onnx_branching(mask, WHERE), "m.onnx") == set()
