"""Rule symlink-inside: every file of a release is covered by a digest."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_a_link_within_the_release_is_told(tmp_path: Path) -> None:
    """Where the link leads can be changed and the manifest stays as it is."""
    (tmp_path / "README.md").write_text("A model.\n")
    (tmp_path / "LICENSE.md").symlink_to("README.md")
    told = {(finding.rule, finding.path, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert told == {("symlink-inside", "LICENSE.md", Verdict.SUSPICIOUS)}


def test_a_copy_of_the_file_is_silent(tmp_path: Path) -> None:
    """The same content under a second name is a file."""
    (tmp_path / "README.md").write_text("A model.\n")
    (tmp_path / "LICENSE.md").write_text("A model.\n")
    assert inspect_path(tmp_path).findings == ()
