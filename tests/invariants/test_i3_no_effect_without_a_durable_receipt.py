"""I3: no action is released before its receipt is durable, whenever the process is killed.

A gate asks the disk for some things between a question, an effect and its outcome. One life is lived for each of them,
in a child that breaks exactly there; then another process looks at what is left. The upstream's own log of effects lies
outside the node, and only ever grows by what the gate returned.

* ``torn``   half of the bytes of a write, then SIGKILL; at any other call SIGKILL before it.
* ``power``  SIGKILL, and all that was not synced is lost.
* ``full``   ENOSPC after half of the bytes; ``eio``  EIO. The gate goes on, and denies.
* A reply that is lost: the upstream did it, and nobody heard. The outcome is *unknown*, in whichever of the
  four ways it could not be recorded, and the same effect does not happen again before somebody says what became of it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from gate.gated import ALONE, FAST, Gated, gated
from gate.lives import Told, life
from ledger.faults import Disk

from watchword.gate import Gate, NoSuchHold
from watchword.gate.action import parse_action
from watchword.ledger.durable import StorageTrouble

FAULTS = ("torn", "power", "full", "eio")


class BrokenDisk(Disk):
    """As in the ledger's tests, and a disk that answers EIO."""

    def fail(self) -> None:
        if self.fault == "eio":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().fail()


@pytest.fixture(scope="module")
def prepared():
    """A node whose hold is approved and waits to be released; closed."""
    with tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder:
        one = gated(Path(folder), ALONE)
        hold = one.held()
        one.approve(hold, "ALFA")
        one.close()
        yield one, hold


def live(one: Gated, hold: str, told: Told) -> None:
    """Ask for one action that is permitted, and release another; an effect happens when bytes come back."""
    told(one.ask())
    told(one.gate.release(hold))


def lived(
    prepared: tuple[Gated, str],
    folder: Path,
    fault: str,
    breaks_at: int,
    gate: type[Gate] = Gate,
    guard: str = "",
    live: Callable[[Gated, str, Told], None] = live,
) -> int:
    """One life that breaks at call *breaks_at*; checks what it leaves, and returns how many calls were made."""
    before, hold = prepared
    left, effects, calls = life(
        before,
        folder,
        lambda: BrokenDisk(folder, fault, breaks_at, guard),
        lambda one, told: live(one, hold, told),
        gate,
    )
    check(left, hold, effects)
    return calls


def check(left: Gated, hold: str, effects: Path) -> None:
    """Effects are receipted, none twice; what was released is never released again; the gate goes on."""
    upstream = [parse_action(line).digest for line in effects.read_bytes().splitlines()]
    receipted = [r["action"] for r in left.receipts() if r["event"] in ("permitted", "released")]
    assert set(upstream) <= set(receipted), "an effect without a durable receipt"
    assert len(set(receipted)) == len(receipted)
    went = "released" in left.events()
    try:
        again = left.gate.release(hold)
        assert not went, "released twice"
        assert again.verdict == "permit", again
    except NoSuchHold:
        assert went, "a hold that was not released is lost"
    assert left.ask().verdict == "permit"
    left.close()


def test_a_lost_reply_is_not_tried_again_at_any_fault_point(prepared, capfd) -> None:
    """Whatever breaks while an unknown outcome is recorded, the same effect happens once.

    Fails when an outcome that the disk did not take is forgotten.
    """
    points = {}
    with tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder:
        place = Path(folder) / "life"
        for fault in FAULTS:
            points[fault] = lived(prepared, place, fault, -1, live=retry)
            for number in range(points[fault]):
                lived(prepared, place, fault, number, live=retry)
                done = place.with_suffix(".effects").read_bytes().splitlines()
                assert len({parse_action(line).effect for line in done}) == len(done), f"{fault} at {number}: again"
    with capfd.disabled():
        print(f"\n  I3, lost reply: kept at each of {points} fault points", file=sys.stderr)


class Forgets(Gate):
    """The guard removed: an outcome that could not be recorded is not owed."""

    def outcome(self, action, outcome):
        try:
            return super().outcome(action, outcome)
        finally:
            self._owed.clear()


def test_a_gate_that_forgets_an_unknown_outcome_is_caught(prepared) -> None:
    """Without the guard, one sync that fails lets the effect happen twice."""
    again = []
    with tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder:
        place = Path(folder) / "life"
        for number in range(lived(prepared, place, "eio", -1, live=retry)):
            lived(prepared, place, "eio", number, Forgets, live=retry)
            again.append(len(place.with_suffix(".effects").read_bytes().splitlines()))
    assert max(again) == 2


def retry(one: Gated, hold: str, told: Told) -> None:
    """Ask for an action that needs nobody, lose its reply, and ask for the same effect again."""
    for _ in range(2):
        answer = one.ask("label-mail", {"label": "a"})
        told(answer)
        if answer.action is not None and answer.action_bytes is not None:
            with contextlib.suppress(StorageTrouble):
                one.gate.outcome(answer.action.digest, "unknown")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_point_between_decision_and_release(prepared, fault: str, capfd) -> None:
    """At each call that writes, syncs, renames or makes something: effects are a subset of durable receipts.

    Fails when a receipt is written after the answer (see below), and under ``power`` when it is not synced.
    """
    with tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder:
        total = lived(prepared, Path(folder) / "life", fault, -1)
        assert total > 10
        for number in range(total):
            lived(prepared, Path(folder) / "life", fault, number)
    with capfd.disabled():
        print(f"\n  I3, {fault}: kept at each of {total} fault points", file=sys.stderr)


class AnswersFirst(Gate):
    """The guard removed: the answer is given before the receipt is durable."""

    def __init__(self, node):
        super().__init__(node)
        self._recorder._settle = lambda group: None


def test_a_gate_that_answers_before_its_receipt_is_caught(prepared) -> None:
    """The check sees what it is for: without the guard, one kill is enough."""
    with (
        tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder,
        pytest.raises(AssertionError, match="without a durable receipt"),
    ):
        lived(prepared, Path(folder) / "life", "torn", -1, AnswersFirst)


def test_a_receipt_that_was_not_synced_is_caught(prepared) -> None:
    """With a disk that only pretends to sync, a power cut leaves an effect without its receipt."""
    with (
        tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder,
        pytest.raises(AssertionError, match="without a durable receipt"),
    ):
        lived(prepared, Path(folder) / "life", "power", -1, guard="fdatasync")


def test_a_denial_for_a_full_disk_says_so(prepared) -> None:
    """Where no receipt can be written the answer is to deny, with the reason; afterwards the gate works."""
    before, _ = prepared
    with tempfile.TemporaryDirectory(prefix="watchword-i3-", dir=FAST) as folder:
        shutil.copytree(before.folder.parent, Path(folder) / "copy")
        one = Gated(Path(folder) / "copy" / "homes", before.clock, before.mandate, ALONE)
        node = one.at("ALFA")

        def full(events: list[dict[str, object]], at: int | None = None) -> range:
            from watchword.ledger.durable import StorageTrouble

            raise StorageTrouble("record: no space left on device", "free space")

        node.append_record, append = full, node.append_record
        answer = one.ask()
        assert (answer.verdict, answer.receipt, answer.action_bytes) == ("deny", None, None)
        assert "no space left" in answer.reasons[0]
        assert json.loads(json.dumps(answer.value()))["receipt"] is None
        node.append_record = append
        assert one.ask().verdict == "permit"
        one.close()
