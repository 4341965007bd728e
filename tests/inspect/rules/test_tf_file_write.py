"""Rule tf-file-write: a TensorFlow graph writes files."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_a_graph_that_writes_files_is_dangerous() -> None:
    """No model needs to write a file to compute."""
    findings = look(tf_graph(b"WriteFile"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-file-write", Verdict.DANGEROUS)]


def test_a_saver_is_silent() -> None:
    """The operators that every saver brings are told by where they go alone."""
    assert look(tf_graph(b"SaveV2", b"MergeV2Checkpoints"), "saved_model.pb").findings == []
