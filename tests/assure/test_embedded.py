from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword.assure import InTheWay, embedded_node
from watchword.assure import embedded as embedded_module
from watchword.charter.lint import lint
from watchword.node import Node


def test_the_embedded_node_keeps_its_keys_to_itself(alone: Node) -> None:
    """Every key file is of mode 0600; nothing else holds a private key."""
    keys = [path for path in (alone.home / "keys").rglob("*") if path.is_file()]
    assert len(keys) >= 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE((alone.home / "alliance.secret").stat().st_mode) == 0o600


def test_its_charter_can_work(alone: Node) -> None:
    """The lint that warns alliances finds nothing fatal in the table of an alliance of one."""
    assert [one for one in lint(alone.charter) if one.fatal] == []


def test_it_is_made_once(alone: Node) -> None:
    """A second call finds the first home and changes nothing."""
    before = {path: path.read_bytes() for path in alone.home.rglob("*") if path.is_file()}
    assert embedded_node(alone.home) == (alone.home, False)
    assert {path: path.read_bytes() for path in alone.home.rglob("*") if path.is_file()} == before


def test_cut_off_while_it_is_founded_it_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle leaves no half of a node, and the next run makes a whole one."""

    def cut(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    real = embedded_module.found_alone
    monkeypatch.setattr(embedded_module, "found_alone", lambda path, **how: (real(path, **how), cut())[1])
    with pytest.raises(KeyboardInterrupt):
        embedded_node(tmp_path / "node")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert embedded_node(tmp_path / "node")[1]


def test_nothing_of_somebody_elses_is_touched(tmp_path: Path) -> None:
    """A folder with other things in it is not made into a node."""
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "letter.txt").write_text("dear")
    with pytest.raises(InTheWay, match="in the way"):
        embedded_node(tmp_path / "node")
    assert [path.name for path in (tmp_path / "node").iterdir()] == ["letter.txt"]


def test_a_node_is_not_put_into_the_release(tmp_path: Path, deliver: Callable[..., Path]) -> None:
    """Looking at a release must not change it; fails when the check goes."""
    release = deliver(tmp_path / "release")
    with pytest.raises(InTheWay, match="part of the release"):
        embedded_node(release / ".watchword", release)
    assert not (release / ".watchword").exists()
