"""A writer that gives no sign of life is taken over from, wherever it stopped, and harms nothing when it wakes up.

Real processes: one is stopped (SIGSTOP) at each of its calls that write, sync, rename or make something; another one
takes over, records and publishes; then the first wakes up (SIGCONT) and goes on as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate.gated import ALONE, FAST, Gated, gated
from ledger.faults import Disk

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import parse_checkpoint, verify_head
from watchword.ledger.notes import parse_note
from watchword.node import Node, home, lease
from watchword.statements.statement import Subject

LEASE_S = 0.15


class Stops(Disk):
    """A disk at whose call number *breaks_at* the process is stopped, until somebody wakes it."""

    def broken(self, syncs: str = "", writes: bool = False) -> bool:
        here = super().broken(syncs, writes)
        if here:
            os.kill(os.getpid(), signal.SIGSTOP)
        return False


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", LEASE_S)
    monkeypatch.setattr(lease, "LEASE_BEAT_S", LEASE_S / 5)
    monkeypatch.setattr(durable, "LOCK_WAIT_S_MAX", LEASE_S)


@pytest.fixture(scope="module")
def prepared() -> Iterator[Gated]:
    with tempfile.TemporaryDirectory(prefix="watchword-lease-", dir=FAST) as folder:
        one = gated(Path(folder), ALONE)
        one.close()
        yield one


def says(here: Node, text: str) -> str:
    """Record something; its id. It is acknowledged when this returns."""
    subject = Subject("mail-sorter 1.0", "sha256:" + "7" * 64)
    fields = {"of": "legal", "outcome": "against", "report": None, "text": text}
    return here.sign_and_append("review", (subject,), fields, person="official").id


def lives(one: Gated, folder: Path, breaks_at: int) -> int:
    """A process that records and publishes, and is stopped at that call; its id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        told, heads, calls = (folder.with_suffix(f".{name}") for name in ("told", "heads", "calls"))
        here = Node.open(folder / "homes" / "ALFA", clock=one.clock, writing=True)
        disk = Stops(folder, "stop", breaks_at)
        with contextlib.suppress(WatchwordError):
            for number in range(1):
                with told.open("a") as file:
                    file.write(says(here, f"old {number}") + "\n")
                here.append_record([{"event": "denied", "number": number}])
                here.publish()
                heads.write_bytes(here.store.own("ledger").checkpoint() or b"")
        calls.write_text(str(disk.calls))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def wait(child: int) -> bool:
    """Until it is stopped (True) or has ended well."""
    status = os.waitpid(child, os.WUNTRACED)[1]
    assert os.WIFSTOPPED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSTOPPED(status)


def taken_over(prepared: Gated, folder: Path, breaks_at: int) -> int:
    """One life of an old writer and of a new one; checks what is left, and returns how many calls the old one made."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("told", "heads", "calls"):
        folder.with_suffix(f".{name}").unlink(missing_ok=True)
    shutil.copytree(prepared.folder.parent, folder)
    folder.with_suffix(".told").touch()
    child = lives(prepared, folder, breaks_at)
    stopped = wait(child)
    before = folder.with_suffix(".told").read_text().split()
    with Node.open(folder / "homes" / "ALFA", clock=prepared.clock, writing=True) as new:
        mine = says(new, "new")
        with contextlib.suppress(durable.Busy):  # stopped while it had the witness's memory, which is nobody's alone
            new.publish()
        while stopped:
            os.kill(child, signal.SIGCONT)
            stopped = wait(child)
        after = says(new, "after")
        new.publish()
        told = folder.with_suffix(".told").read_text().split()
        assert len(told) >= len(before)
        for id in (*told, mine, after):
            assert new.locate(id).signed.statement.id == id, "what was acknowledged is lost"
    with Node.open(folder / "homes" / "ALFA", clock=prepared.clock, writing=True) as left:
        left.check()
        log = left.store.own("ledger")
        with contextlib.suppress(FileNotFoundError):
            note = folder.with_suffix(".heads").read_bytes()
            head = verify_head(note, log.origin, left.charter.origins[log.origin].key)
            assert log.root(head.size) == head.root == parse_checkpoint(parse_note(note).text).root, "two histories"
        assert left.record_size() == len(left.record_events())
    calls = folder.with_suffix(".calls")
    return int(calls.read_text()) if calls.exists() else 0


def test_a_stopped_writer_is_taken_over_from_and_wakes_up_harmless(prepared: Gated, capfd: Any) -> None:
    """Nothing acknowledged is lost, no head contradicts another, whichever call it was stopped at.

    Fails when files that are appended to are left to both, or acknowledged without a look at their place.
    """
    with tempfile.TemporaryDirectory(prefix="watchword-lease-", dir=FAST) as folder:
        place = Path(folder) / "life"
        points = taken_over(prepared, place, -1)
        assert points > 30
        for number in range(points):
            taken_over(prepared, place, number)
    with capfd.disabled():
        print(f"\n  lease: a writer was stopped at each of {points} points", file=sys.stderr)


def test_a_killed_writer_is_followed_at_once(prepared: Gated, tmp_path: Path) -> None:
    """SIGKILL: no lease has to end, and what it acknowledged is there."""
    shutil.copytree(prepared.folder.parent, tmp_path / "life")
    child = os.fork()
    if not child:
        here = Node.open(tmp_path / "life" / "homes" / "ALFA", clock=prepared.clock, writing=True)
        (tmp_path / "told").write_text(says(here, "old"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with Node.open(tmp_path / "life" / "homes" / "ALFA", clock=prepared.clock, writing=True) as new:
        assert new.locate((tmp_path / "told").read_text()).signed.statement.kind == "review"


def test_a_writer_that_lives_keeps_its_turn_however_the_clock_jumps(
    prepared: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only silence counts, by the monotonic clock of whoever waits: files of the future or past mean nothing."""
    monkeypatch.setattr(lease, "LEASE_S", 60)
    monkeypatch.setattr(home, "NODE_LOCK_WAIT_S_MAX", 2 * LEASE_S)
    shutil.copytree(prepared.folder.parent, tmp_path / "life")
    path = tmp_path / "life" / "homes" / "ALFA"
    with Node.open(path, clock=prepared.clock, writing=True) as here:
        for when in (0, 2**33):
            os.utime(path / "lock", (when, when))
            with pytest.raises(home.BusyNode, match=f"process {os.getpid()}$"):
                home.lock_home(path, "ALFA")
        says(here, "still")


def test_who_was_taken_over_from_can_put_nothing_in_place(prepared: Gated, tmp_path: Path) -> None:
    """No file of the home, no head, no statement, each by its own guard: the folder it would come from is gone.

    Fails when the old writer's folders stay.
    """
    shutil.copytree(prepared.folder.parent, tmp_path / "life")
    path = tmp_path / "life" / "homes" / "ALFA"
    old = Node.open(path, clock=prepared.clock, writing=True)
    log = old.store.own("ledger")
    assert old._lock is not None
    old._lock._over.set()  # silent from here on
    with Node.open(path, clock=prepared.clock, writing=True) as new:
        stored = log._heads.read()
        for act in (
            lambda: old.store.put_own(path / "cosigned" / "x", b"{}"),
            lambda: log._heads.swap(stored, b"another"),
            lambda: durable.replace(log.folder / "checkpoint", b"another", log.staging),
            lambda: log._intake.append([b"entry"], [bytes(32)]),  # type: ignore[union-attr]
        ):
            with pytest.raises((durable.StorageTrouble, OSError)):
                act()
        with pytest.raises(durable.Deposed):
            says(old, "late")
        assert log._heads.read() == stored and not (path / "cosigned" / "x").exists()
        says(new, "new")
    old.close()
