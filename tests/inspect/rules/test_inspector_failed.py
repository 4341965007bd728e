"""Rule inspector-failed: a reader failed on a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.inspect import file, inspect_path
from watchword.inspect.facts import Verdict


def test_a_fault_of_the_reader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that a reader should not raise is a verdict, never silence."""
    (tmp_path / "notes.txt").write_text("words")

    def judge(*_: object) -> tuple[str, str]:
        raise IndexError("list index out of range")

    monkeypatch.setattr(file, "judge", judge)
    assert {(f.rule, f.verdict) for f in inspect_path(tmp_path).findings} == {("inspector-failed", Verdict.UNREADABLE)}


def test_a_reader_that_ends_is_silent(tmp_path: Path) -> None:
    """The same file, read as it should be."""
    (tmp_path / "notes.txt").write_text("words")
    assert list(inspect_path(tmp_path).findings) == []
