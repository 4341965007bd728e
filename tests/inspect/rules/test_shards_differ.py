"""Rule shards-differ: the parts of the weights are those that the index names."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_a_part_that_was_not_delivered_is_unreadable(tmp_path: Path) -> None:
    """The index names two parts and one is there."""
    (tmp_path / "w.index.json").write_text('{"weight_map": {"a": "1.bin", "b": "2.bin"}}')
    (tmp_path / "1.bin").write_text("numbers")
    told = {(finding.rule, finding.path, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert told == {("shards-differ", "w.index.json", Verdict.UNREADABLE)}


def test_an_index_with_all_its_parts_is_silent(tmp_path: Path) -> None:
    """Both parts are there."""
    (tmp_path / "w.index.json").write_text('{"weight_map": {"a": "1.bin", "b": "2.bin"}}')
    (tmp_path / "1.bin").write_text("numbers")
    (tmp_path / "2.bin").write_text("numbers")
    assert inspect_path(tmp_path).findings == ()
