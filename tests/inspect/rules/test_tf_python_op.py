"""Rule tf-python-op: a TensorFlow graph calls Python functions of the program that runs it."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_a_call_of_a_python_function_is_suspicious() -> None:
    """The function stands in the program that runs the graph, not in the file."""
    findings = look(tf_graph(b"EagerPyFunc"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-python-op", Verdict.SUSPICIOUS)]


def test_a_call_of_the_graph_s_own_function_is_silent() -> None:
    """What is called stands in the file."""
    assert look(tf_graph(b"StatefulPartitionedCall", b"Identity"), "saved_model.pb").findings == []
