"""Rule tf-broken: a TensorFlow graph is not a well-formed message."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_a_cut_graph_is_unreadable() -> None:
    """What a lenient parser may still load is not passed over."""
    findings = look(graph(b"MatMul", b"Relu")[:-3], "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-broken", Verdict.UNREADABLE)]


def test_a_whole_graph_is_silent() -> None:
    """The same graph to its last byte."""
    assert look(graph(b"MatMul", b"Relu"), "saved_model.pb").findings == []
