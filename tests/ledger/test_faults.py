"""What was acknowledged survives: a kill, a power cut or a full disk at every single call that touches the disk.

``faults`` lives a whole life once per call and breaks at that call; it says what it checks.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("faults.py")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: these disks are broken on purpose, the real one need not wear."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def live(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=900, check=False
    )


@pytest.mark.parametrize(
    ("life", "fault"),
    [
        ("own", "torn"),
        *((life, fault) for life in ("own", "mirror", "witness") for fault in ("power", "full")),
    ],
)
def test_what_was_acknowledged_survives_trouble_at_every_call(folder: Path, life: str, fault: str) -> None:
    """Killed, cut off or refused at each call in turn, a ledger, a mirror and a witness keep every promise.

    Fails when any sync on the way is removed (see below), when the checkpoint is written before the head is stored,
    when a torn group of the intake is not cut off, when a mirror's entries go through an intake, when a witness
    answers before it has stored, and when the head store is not asked at opening.
    """
    done = live(life, fault, folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_power_cut_while_repairing_after_a_kill_loses_nothing(folder: Path) -> None:
    """A killed process may leave unsynced what the next one reads; what that one says is durable must be.

    Fails when opening does not sync the intake, or the head store's folder.
    """
    done = live("repair", "power", folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("life", "call"),
    [("own", "fdatasync"), ("own", "fsync"), ("mirror", "fsync"), ("witness", "fsync"), ("witness", "fdatasync")],
)
def test_a_sync_that_only_pretends_is_noticed(folder: Path, life: str, call: str) -> None:
    """The test above has teeth: with a disk that ignores this call, a promise is broken and said so."""
    done = live(life, "power", folder, call)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("broken at call")
