"""Rule names-outside: a configuration names a file outside of the release."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import Verdict, inspect_path


def test_weights_from_above_the_folder_are_dangerous(tmp_path: Path) -> None:
    """An index whose part leads upwards makes a loader read what lies elsewhere on the machine."""
    (tmp_path / "w.index.json").write_text('{"weight_map": {"a": "../../etc/x.bin"}}')
    told = {(finding.rule, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert ("names-outside", Verdict.DANGEROUS) in told


def test_weights_beside_the_index_are_silent(tmp_path: Path) -> None:
    """An index whose parts stand beside it names files of its own."""
    (tmp_path / "w.index.json").write_text('{"weight_map": {"a": "1.bin"}}')
    (tmp_path / "1.bin").write_text("version of nothing")
    assert inspect_path(tmp_path).findings == ()
