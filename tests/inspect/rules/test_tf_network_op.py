"""Rule tf-network-op: a TensorFlow graph speaks to other machines."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_a_graph_that_calls_other_machines_is_dangerous() -> None:
    """An operator that calls another process can carry data out."""
    findings = look(tf_graph(b"RpcClient"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-network-op", Verdict.DANGEROUS)]


def test_a_call_inside_the_graph_is_silent() -> None:
    """A function of the same graph is no other machine."""
    assert look(tf_graph(b"PartitionedCall", b"MatMul"), "saved_model.pb").findings == []
