"""Rule document-limit: a document is larger or deeper than is parsed."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_document_of_endless_depth_is_told() -> None:
    """Twenty thousand lists inside each other are not parsed, and that is said."""
    data = b"[" * 20_000 + b"]" * 20_000
    assert told(data, "x.json") == {("document-limit", Verdict.UNREADABLE)}


def test_a_document_of_some_depth_is_silent() -> None:
    """Twenty lists inside each other are parsed."""
    assert look(b"[" * 20 + b"]" * 20, "x.json").findings == []
