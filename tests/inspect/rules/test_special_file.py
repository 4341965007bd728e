"""Rule special-file: a release is made of regular files."""

from __future__ import annotations

import os
from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_a_pipe_is_unreadable(tmp_path: Path) -> None:
    """A pipe has no content of its own, and is not opened: that would wait for ever."""
    (tmp_path / "README.md").write_text("A model.\n")
    os.mkfifo(tmp_path / "weights.bin")
    told = {(finding.rule, finding.path, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert told == {("special-file", "weights.bin", Verdict.UNREADABLE)}


def test_an_empty_file_is_silent(tmp_path: Path) -> None:
    """A file of no bytes is a file all the same."""
    (tmp_path / "README.md").write_text("A model.\n")
    (tmp_path / "empty.txt").touch()
    assert inspect_path(tmp_path).findings == ()
