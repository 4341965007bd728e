"""Rule tf-python-op: a TensorFlow graph calls Python functions of the program that runs it."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_a_call_of_a_python_function_is_suspicious() -> None:
    """The function stands in the program that runs the graph, not in the file."""
    findings = look(graph(b"EagerPyFunc"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-python-op", Verdict.SUSPICIOUS)]


def test_a_call_of_the_graph_s_own_function_is_silent() -> None:
    """What is called stands in the file."""
    assert look(graph(b"StatefulPartitionedCall", b"Identity"), "saved_model.pb").findings == []
