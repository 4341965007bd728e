"""Rule tf-network-op: a TensorFlow graph speaks to other machines."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_a_graph_that_calls_other_machines_is_dangerous() -> None:
    """An operator that calls another process can carry data out."""
    findings = look(graph(b"RpcClient"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-network-op", Verdict.DANGEROUS)]


def test_a_call_inside_the_graph_is_silent() -> None:
    """A function of the same graph is no other machine."""
    assert look(graph(b"PartitionedCall", b"MatMul"), "saved_model.pb").findings == []
