"""Rule config-missing-code: a configuration names code that is not in the release."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect import inspect_path
from watchword.inspect.facts import Verdict

AUTO_MAP = '{"auto_map": {"AutoModel": "net.Net"}}'


def test_code_that_was_not_delivered_is_told(tmp_path: Path) -> None:
    """The loader would import ``net.py``, which nobody could look at."""
    (tmp_path / "config.json").write_text(AUTO_MAP)
    assert {(f.rule, f.verdict) for f in inspect_path(tmp_path).findings} == {
        ("config-missing-code", Verdict.SUSPICIOUS)
    }


def test_code_that_was_delivered_is_silent(tmp_path: Path) -> None:
    """The file that the configuration names stands beside it."""
    (tmp_path / "config.json").write_text(AUTO_MAP)
    (tmp_path / "net.py").write_text("class Net: ...")
    assert list(inspect_path(tmp_path).findings) == []
