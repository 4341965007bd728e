"""Rule tf-file-write: a TensorFlow graph writes files."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_a_graph_that_writes_files_is_dangerous() -> None:
    """No model needs to write a file to compute."""
    findings = look(graph(b"WriteFile"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-file-write", Verdict.DANGEROUS)]


def test_a_saver_is_silent() -> None:
    """The operators that every saver brings are told by where they go alone."""
    assert look(graph(b"SaveV2", b"MergeV2Checkpoints"), "saved_model.pb").findings == []
