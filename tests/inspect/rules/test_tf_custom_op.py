"""Rule tf-custom-op: a TensorFlow graph needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_an_operator_of_nobody_is_suspicious() -> None:
    """An operator that is not TensorFlow's is a library that was not inspected."""
    findings = look(graph(b"MatMul", b"EvilOp"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-custom-op", Verdict.SUSPICIOUS)]


def test_an_operator_of_a_well_known_library_is_silent() -> None:
    """TensorFlow's own operators and those of its add-ons raise no alarm."""
    assert look(graph(b"MatMul", b"Addons>GroupNorm"), "saved_model.pb").findings == []
