"""A home of an older format: read as it is, brought up when asked, after a copy, a step at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection

from watchword import __version__, node
from watchword.errors import WatchwordError
from watchword.node import Node, NoHome, upgrading
from watchword.node.home import FORMAT, read_home
from watchword.node.upgrading import STEPS, upgrade


@pytest.fixture
def first(alliance: Alliance) -> Path:
    """BRAVO's home as the first format had it."""
    alliance.nodes.pop("BRAVO").close()
    home = alliance.home("BRAVO")
    toml = home / "node.toml"
    text = toml.read_text("utf-8").replace(f'format = 2\nwatchword = "{__version__}"\n', "format = 1\n")
    toml.write_text(text + '\n[peers]\nALFA = "https://alfa.example"\n', "utf-8")
    assert read_home(home).format == 1
    return home


def contents(home: Path) -> dict[str, bytes]:
    found = {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name not in ("lock", "node.toml")}


def test_an_older_home_works_and_is_brought_up_after_a_copy(alliance: Alliance, first: Path, tmp_path: Path) -> None:
    """Nothing but its node.toml changes; the copy is of the home before; a second time there is nothing to do."""
    with Node.open(first, clock=alliance.clock, writing=True) as old:
        old.sign_and_append("inspection", (RELEASE,), inspection())
    before = contents(first)
    assert upgrade(first, tmp_path / "copy.tar", alliance.clock) == [2]
    assert contents(first) == before
    assert dict(read_home(first).peers) == {"ALFA": "https://alfa.example"}
    assert upgrade(first, tmp_path / "again.tar", alliance.clock) == []
    assert not (tmp_path / "again.tar").exists()
    with Node.open(first, clock=alliance.clock, writing=True) as new:
        assert new.sign_and_append("inspection", (RELEASE,), inspection(tool="other")).index == 1
    node.restore(tmp_path / "copy.tar", tmp_path / "back")
    assert read_home(tmp_path / "back").format == 1


def test_every_format_has_a_step_to_the_next() -> None:
    """From the first format to this one there is no gap."""
    assert sorted(STEPS) == list(range(1, FORMAT))


def test_without_a_copy_no_step_is_taken(alliance: Alliance, first: Path, tmp_path: Path) -> None:
    """Where the copy cannot be made, the home stays as it was. Fails where the steps come first."""
    (tmp_path / "copy.tar").write_bytes(b"")
    with pytest.raises(NoHome, match="something is there"):
        upgrade(first, tmp_path / "copy.tar", alliance.clock)
    assert read_home(first).format == 1


def test_a_step_that_dies_leaves_a_home_of_a_format(
    alliance: Alliance, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two steps, or in one, it is read as the format that it reached, and goes on from there."""

    def dies(home: Path) -> None:
        raise KeyboardInterrupt

    steps: dict[int, Callable[[Path], None]] = dict(STEPS) | {1: dies}
    monkeypatch.setattr(upgrading, "STEPS", steps)
    with pytest.raises(KeyboardInterrupt):
        upgrade(first, tmp_path / "copy.tar", alliance.clock)
    assert read_home(first).format == 1
    monkeypatch.undo()
    assert upgrade(first, tmp_path / "copy-2.tar", alliance.clock) == [2]


@pytest.mark.parametrize("form", ["0", "-1", "true", '"2"', "1.0", "99", "[]"])
def test_what_is_no_format_is_refused(alliance: Alliance, first: Path, form: str, tmp_path: Path) -> None:
    """Neither guessed at nor brought up."""
    toml = first / "node.toml"
    toml.write_text(toml.read_text("utf-8").replace("format = 1", f"format = {form}"), "utf-8")
    with pytest.raises(WatchwordError):
        upgrade(first, tmp_path / "copy.tar", alliance.clock)
    assert not (tmp_path / "copy.tar").exists()
