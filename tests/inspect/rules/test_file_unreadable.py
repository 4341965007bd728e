"""Rule file-unreadable: the system does not let a file be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchword.inspect import inspect_path
from watchword.inspect.facts import Verdict


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system says no, the file has a verdict."""
    (tmp_path / "notes.txt").write_text("words")
    real = os.open

    def refuse(path: object, *args: int) -> int:
        if str(path).endswith("notes.txt"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    assert {(f.rule, f.verdict) for f in inspect_path(tmp_path).findings} == {("file-unreadable", Verdict.UNREADABLE)}


def test_a_file_that_can_be_opened_is_silent(tmp_path: Path) -> None:
    """The same file where the system says yes."""
    (tmp_path / "notes.txt").write_text("words")
    assert list(inspect_path(tmp_path).findings) == []
