"""Rule tf-broken: a TensorFlow graph is not a well-formed message."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_a_cut_graph_is_unreadable() -> None:
    """What a lenient parser may still load is not passed over."""
    findings = look(tf_graph(b"MatMul", b"Relu")[:-3], "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-broken", Verdict.UNREADABLE)]


def test_a_whole_graph_is_silent() -> None:
    """The same graph to its last byte."""
    assert look(tf_graph(b"MatMul", b"Relu"), "saved_model.pb").findings == []
