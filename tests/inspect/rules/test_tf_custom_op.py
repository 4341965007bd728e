"""Rule tf-custom-op: a TensorFlow graph needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_an_operator_of_nobody_is_suspicious() -> None:
    """An operator that is not TensorFlow's is a library that was not inspected."""
    findings = look(tf_graph(b"MatMul", b"EvilOp"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-custom-op", Verdict.SUSPICIOUS)]


def test_an_operator_of_a_well_known_library_is_silent() -> None:
    """TensorFlow's own operators and those of its add-ons raise no alarm."""
    assert look(tf_graph(b"MatMul", b"Addons>GroupNorm"), "saved_model.pb").findings == []
