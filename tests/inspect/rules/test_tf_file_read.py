"""Rule tf-file-read: a TensorFlow graph reads files while it computes."""

from __future__ import annotations

from inspect_samples import look, tf_graph

from watchword.inspect.facts import Verdict


def test_a_graph_that_lists_files_is_suspicious() -> None:
    """A graph that looks at the disk takes in more than its input."""
    findings = look(tf_graph(b"MatchingFiles"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-file-read", Verdict.SUSPICIOUS)]


def test_a_graph_that_restores_and_decodes_is_silent() -> None:
    """Every saver restores its weights, and an image that is given is decoded without a file."""
    assert look(tf_graph(b"RestoreV2", b"DecodeJpeg"), "saved_model.pb").findings == []
