"""I3, I4, I5 where several processes decide for one gate over PostgreSQL, and are killed, stopped and cut off.

Real processes, a real server whose acknowledgements are durable. What each was told goes to a log outside the node.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate.gated import ALONE, FAST, rules_for
from gate.shared import Shared, end_sessions, ended_well
from gate.shared import server as server

from watchword.errors import WatchwordError
from watchword.gate import Answer, Gate
from watchword.node import sharing

QUOTA = 30
WAIT_S = 60
RULE = {
    "id": "sort", "tool": "label-mail", "args": [{"field": "label", "op": "any", "value": None}],
    "approvals": {"count": 0, "distinct": "operators", "role": ""}, "hold_s": 0,
    "quota": {"count": QUOTA, "per_s": 60}, "unclean": None,
}  # fmt: skip


@pytest.fixture
def shared(server: Any) -> Iterator[Shared]:
    with tempfile.TemporaryDirectory(prefix="watchword-i345-", dir=FAST) as folder:
        one = Shared(Path(folder), server)
        one.gated.new_mandate(rules=[RULE, rules_for(ALONE)[2]], stale="deny")
        yield one
        one.close()


class Told:
    """A log of what was told: one line for each answer, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "told"
        self.path.touch()

    def __call__(self, answer: Answer) -> None:
        digest = "-" if answer.action is None else answer.action.digest
        line = f"{answer.verdict} {digest} {answer.receipt}\n".encode()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(file, line)
        os.close(file)

    def lines(self, verdict: str) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines() if line.startswith(f"{verdict} ")]


def until(true: Any) -> None:
    """Wait for it, for WAIT_S at most."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def ask_in_threads(gate: Gate, shared: Shared, told: Told, times: int, threads: int = 3) -> None:
    def asks() -> None:
        for _ in range(times):
            told(gate.ask(shared.gated.action("label-mail", {"label": "a"}).bytes))

    running = [threading.Thread(target=asks) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def check(shared: Shared, told: Told) -> None:
    """What was told is recorded, at its place; the quota was kept; nothing went twice; the home follows it whole."""
    receipts = shared.receipts()
    went = [one["action"] for one in receipts if one["event"] == "permitted"]
    assert len(went) == len(set(went)) <= QUOTA
    for verdict, event in (("permit", "permitted"), ("deny", "denied")):
        for _, digest, place in told.lines(verdict):
            if place != "None":
                assert (receipts[int(place)]["event"], receipts[int(place)]["action"]) == (event, digest)
            else:
                assert verdict == "deny", "an effect without a durable receipt"
    assert shared.writer.anchor_record() is not None
    assert shared.writer.record_events() == receipts


def test_a_quota_is_never_overspent_by_processes_that_race(shared: Shared, tmp_path: Path) -> None:
    """Three processes of three threads ask 90 times for what may go 30 times: 30 go.

    Fails when the gate's row is not held in a turn and a place of the record can be taken twice; either alone suffices.
    """
    shared.begin()
    told = Told(tmp_path)
    children = [shared.fork(lambda gate: ask_in_threads(gate, shared, told, 10)) for _ in range(3)]
    assert all([ended_well(child) for child in children])
    assert len(told.lines("permit")) == QUOTA and len(told.lines("deny")) == 90 - QUOTA
    check(shared, told)


def test_an_approval_releases_one_action_however_many_release_it(shared: Shared, tmp_path: Path) -> None:
    """I4: three processes release the same approved hold at once; one of them gets the bytes."""
    shared.begin()
    hold = shared.gated.held()
    shared.gated.approve(hold, "ALFA")
    told = Told(tmp_path)

    def releases(gate: Gate) -> None:
        with contextlib.suppress(WatchwordError):
            told(gate.release(hold))

    children = [shared.fork(releases) for _ in range(3)]
    assert all([ended_well(child) for child in children])
    assert len(told.lines("permit")) == 1
    assert [one["event"] for one in shared.receipts()].count("released") == 1


def test_kill_and_a_crash_of_the_database_lose_nothing(shared: Shared, tmp_path: Path) -> None:
    """I3: processes killed with SIGKILL and a server that crashes twice meanwhile: what was told stands."""
    shared.begin()
    told = Told(tmp_path)

    def for_ever(gate: Gate) -> None:
        while True:
            ask_in_threads(gate, shared, told, 1)
            time.sleep(0.05)

    children = [shared.fork(for_ever) for _ in range(3)]
    try:
        until(lambda: len(told.lines("permit")) > 3)
        for child in children[:2]:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            shared.server.stop()
            before = len(told.lines("deny"))
            until(lambda before=before: len(told.lines("deny")) > before)
            shared.server.start()
            until(lambda: told.lines("deny")[-1][2] != "None")
    finally:
        os.kill(children[2], signal.SIGKILL)
        os.waitpid(children[2], 0)
    check(shared, told)


def test_a_process_that_is_stopped_in_its_turn_loses_it(
    shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP between decision and commit: the others go on; woken, it is told that nothing of its own counts (I5)."""
    monkeypatch.setattr(sharing, "SHARED_IDLE_S_MAX", 1)
    shared.begin()
    told = Told(tmp_path)

    class Stops(Gate):
        def _record(self, *given: Any, **named: Any) -> Answer:
            os.kill(os.getpid(), signal.SIGSTOP)
            return super()._record(*given, **named)

    child = shared.fork(lambda gate: told(gate.ask(shared.gated.action("label-mail", {"label": "b"}).bytes)), Stops)
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
    assert shared.gated.ask("label-mail", {"label": "a"}).verdict == "permit"
    os.kill(child, signal.SIGCONT)
    status = os.waitpid(child, os.WUNTRACED)[1]
    while os.WIFSTOPPED(status):
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, os.WUNTRACED)[1]
    assert os.waitstatus_to_exitcode(status) == 0
    assert told.lines("permit") == [] and len(told.lines("deny")) == 1
    check(shared, told)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_turns_that_are_cut_off_overspend_nothing_and_lose_nothing(
    shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Three doors, up to five threads each, and a server that ends sessions in the middle of turns, drawn by *seed*.

    Whatever fell into one turn: the quota is kept, who was told yes has a receipt and nobody else, each one place.
    Fails when one who waited is told without the commit.
    """
    monkeypatch.setattr(sharing, "SHARED_PAUSE_S", 0.0)
    shared.begin()
    told, draw = Told(tmp_path), random.Random(seed)
    gates = [shared.gate() for _ in range(3)]
    cuts: list[bool] = []
    for gate in gates:
        record = gate._recorder._record  # type: ignore[union-attr]
        commit = record.commit

        def committed(values: Any, envelopes: Any, commit: Any = commit) -> None:
            if cuts and cuts.pop():
                end_sessions(shared)
            commit(values, envelopes)

        monkeypatch.setattr(record, "commit", committed)
    for _ in range(12):
        cuts[:] = [draw.random() < 0.5 for _ in range(3)]
        asking = [
            threading.Thread(target=ask_in_threads, args=(gate, shared, told, 1, draw.randint(0, 5))) for gate in gates
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    cuts.clear()
    ask_in_threads(gates[0], shared, told, 10, 4)
    went = {one["action"] for one in shared.receipts() if one["event"] == "permitted"}
    assert {digest for _, digest, _ in told.lines("permit")} == went and len(went) == QUOTA
    check(shared, told)
