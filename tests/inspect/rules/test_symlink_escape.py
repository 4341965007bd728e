"""Rule symlink-escape: no link leads out of a release."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_a_link_out_of_the_release_is_unreadable(tmp_path: Path) -> None:
    """What it leads to is not part of the release and differs from machine to machine."""
    (tmp_path / "README.md").write_text("A model.\n")
    (tmp_path / "passwords.txt").symlink_to("../../etc/passwd")
    told = {(finding.rule, finding.path, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert told == {("symlink-escape", "passwords.txt", Verdict.UNREADABLE)}


def test_a_file_that_only_names_such_a_path_is_silent(tmp_path: Path) -> None:
    """The same path as text leads nowhere."""
    (tmp_path / "README.md").write_text("A model.\n")
    (tmp_path / "passwords.txt").write_text("../../etc/passwd\n")
    assert inspect_path(tmp_path).findings == ()
