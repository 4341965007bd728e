"""The alliance simulator: a seed tells a story in which everything holds, and what is broken is found by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from gate.gated import FAST

from watchword.demo import simulate as engine
from watchword.demo.simulate import Broken, simulate
from watchword.demo.world import START
from watchword.statements.times import rfc3339

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in memory, and a story of few releases, so that it is told quickly."""
    monkeypatch.setattr(engine, "RELEASES", 10)
    with TemporaryDirectory(prefix="watchword-simulate-", dir=FAST) as name:
        yield Path(name)


def test_everything_holds_in_the_story_of_a_seed(folder: Path) -> None:
    """Partitions, lost and spoilt letters, failing disks, a fork, a thief; then verify.py reads what ALFA proves.

    On failure the message names the seed: ``watchword simulate --seed`` tells it again.
    """
    report = simulate(folder, 1, 40)
    assert report.steps == 40
    assert {"letters", "letters lost", "statements acknowledged", "findings"} <= report.told.keys()
    assert "seed 1: 40 steps, nothing broken" in report.text()
    command = [sys.executable, str(VERIFY), "ALFA/charter.json", "ALFA-0.json", "--at", rfc3339(START.replace(day=9))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "NOTICES against" in done.stdout


def test_a_letter_that_holds_what_it_must_not_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the guard of scopes removed from export the story breaks, and says with which seed (I10)."""
    from watchword.node import carry

    monkeypatch.setattr(carry, "scope_allows", lambda *_: True)
    with pytest.raises(Broken, match=r"seed 2, step \d+: a letter to \w+ holds a statement of scope"):
        simulate(folder, 2, 60)


def test_a_gate_that_does_not_hear_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With recalls no longer stopping an admission the story breaks (I9)."""
    from watchword.policy import table

    real: Any = table.notices
    monkeypatch.setattr(table, "notices", lambda *args: [one for one in real(*args) if one.kind != "recall"])
    with pytest.raises(Broken, match=r"its gate is open"):
        simulate(folder, 1, 60)
