"""Rule path-unsafe: a file name does not name one file everywhere."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_a_name_with_a_control_character_is_suspicious(tmp_path: Path) -> None:
    """A name that would steer a terminal is told, and no manifest is made."""
    (tmp_path / "a\x1b[2Jb").write_text("x")
    seen = inspect_path(tmp_path)
    assert ("path-unsafe", Verdict.SUSPICIOUS) in {(finding.rule, finding.verdict) for finding in seen.findings}
    assert seen.manifest is None


def test_names_with_spaces_and_accents_are_silent(tmp_path: Path) -> None:
    """Letters of any language, in their usual form, mean the same file everywhere."""
    for name in ("read me.txt", "mod\u00e8le.txt", "\u6a21\u578b.txt"):
        (tmp_path / name).write_text("x")
    assert inspect_path(tmp_path).findings == ()
