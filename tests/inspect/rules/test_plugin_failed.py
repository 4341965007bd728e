"""Rule plugin-failed: a plugin that fails is no silent pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.inspect import Verdict, inspect_path
from watchword.inspect.plugins import load_plugins

CODE = """
from watchword.inspect.facts import FileReport, Verdict
from watchword.inspect.rules.rule import Rule

def fails(one):
    raise IndexError("oh")

def passes(one):
    return iter(())

def rule(id, check):
    return Rule(id, "A title", Verdict.SUSPICIOUS, "low", "low", (), "Why.", "What.", (FileReport,), check)

failing, passing = rule("acme-failing", fails), rule("acme-passing", passes)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rules of a distribution as it lies in site-packages; and a file to inspect."""
    about = tmp_path / "site" / "acme_rules-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1\n")
    lines = "[watchword.inspect.rules]\nfailing = acme_rules:failing\npassing = acme_rules:passing\n"
    (about / "entry_points.txt").write_text(lines)
    (tmp_path / "site" / "acme_rules.py").write_text(CODE)
    (tmp_path / "README.md").write_text("A model.\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    load_plugins.cache_clear()
    return tmp_path / "README.md"


def test_a_plugin_that_fails_makes_the_file_unreadable(installed: Path) -> None:
    """It was named because it sees what our rules do not: its silence says nothing."""
    told = {(finding.rule, finding.verdict) for finding in inspect_path(installed, plugins=("failing",)).findings}
    assert told == {("plugin-failed", Verdict.UNREADABLE)}


def test_a_plugin_that_finds_nothing_is_silent(installed: Path) -> None:
    """A rule that looked and had nothing to tell leaves the file as it is."""
    assert inspect_path(installed, plugins=("passing",)).findings == ()
