"""Rule zip-duplicate: two members of an archive have one name."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def test_names_that_differ_only_in_case_are_suspicious() -> None:
    """Which of the two is loaded depends on the reader."""
    findings = look(zipped(("a.txt", b"one"), ("A.TXT", b"two")), "a.zip").findings
    assert [(f.rule, f.verdict) for f in findings] == [("zip-duplicate", Verdict.SUSPICIOUS)]


def test_one_name_in_two_folders_is_silent() -> None:
    """Members are named by their whole path."""
    assert look(zipped(("x/a.txt", b"one"), ("y/a.txt", b"two")), "a.zip").findings == []
