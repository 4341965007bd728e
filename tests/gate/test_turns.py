"""One turn at a shared record for all threads that wait: its commit, its failure and what is known in it are theirs.

Threads of real gates over a real server. Who holds the gate's row in the database lets them gather first, so that what
falls into one turn is no chance.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from gate.gated import FAST
from gate.shared import Shared, end_sessions
from gate.shared import server as server

from watchword.gate import Answer, Gate
from watchword.gate.together import Together
from watchword.node import sharing
from watchword.statements.statement import Subject

ALL = Subject("all", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
WAIT_S = 60


@pytest.fixture
def shared(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    monkeypatch.setattr(sharing, "SHARED_PAUSE_S", 0.0)
    with tempfile.TemporaryDirectory(prefix="watchword-turns-", dir=FAST) as folder:
        one = Shared(Path(folder), server)
        one.begin()
        yield one
        one.close()


def together(gate: Gate) -> Together:
    recorder = gate._recorder
    assert isinstance(recorder, Together)
    return recorder


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


@contextmanager
def turn_of_another(shared: Shared) -> Iterator[None]:
    """Another process has the turn meanwhile."""
    import psycopg

    with psycopg.connect(shared.url) as connection:
        connection.execute("SELECT size FROM watchword_gate FOR UPDATE")
        yield
        connection.rollback()


def asked_together(shared: Shared, gate: Gate, threads: int) -> list[Answer]:
    """So many *threads* ask, and all wait before the first turn begins."""
    asked = [shared.gated.action("label-mail", {"label": "a"}).bytes for _ in range(threads)]
    with ThreadPoolExecutor(threads) as running:
        with turn_of_another(shared):
            answers = [running.submit(gate.ask, data) for data in asked]
            until(lambda: len(together(gate)._queue) == threads)
        return [answer.result(WAIT_S) for answer in answers]


def commits(gate: Gate, monkeypatch: pytest.MonkeyPatch, before: Callable[[], None] = lambda: None) -> list[int]:
    """How many receipts each commit of *gate* had; *before* is called before each."""
    record, counted = together(gate)._record, list[int]()
    commit = record.commit

    def committed(values: Any, envelopes: Any) -> None:
        counted.append(len(values))
        before()
        commit(values, envelopes)

    monkeypatch.setattr(record, "commit", committed)
    return counted


def test_those_who_wait_share_one_commit(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six threads, one transaction; the quota of two is counted within it, and each receipt has a place of its own."""
    gate = shared.gate()
    counted = commits(gate, monkeypatch)
    answers = asked_together(shared, gate, 6)
    assert counted == [6]
    assert sorted(answer.verdict for answer in answers) == ["deny"] * 4 + ["permit"] * 2
    assert sorted(answer.receipt for answer in answers if answer.receipt is not None) == [0, 1, 2, 3, 4, 5]
    assert [one["event"] for one in shared.receipts()] == ["permitted"] * 2 + ["denied"] * 4


def test_a_turn_that_fails_refuses_everybody_in_it(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """I3, I5: the transaction of six is cut off before its commit: six refusals, no receipt; then all goes on.

    Fails when one who waited is told before, or without, the commit.
    """
    gate, cut = shared.gate(), [True]
    counted = commits(gate, monkeypatch, lambda: end_sessions(shared) if cut[0] else None)
    answers = asked_together(shared, gate, 6)
    assert counted[0] == 6
    for answer in answers:
        assert answer.verdict == "deny" and answer.action_bytes is None
        assert "the database does not take it" in answer.reasons[0]
    assert [one for one in shared.receipts() if one["event"] != "denied"] == []
    cut[0] = False
    assert gate.ask(shared.gated.action("label-mail", {"label": "a"}).bytes).verdict == "permit"


def test_a_turn_that_cannot_be_had_refuses_all_who_wait(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """I5: while another process keeps the turn, all who wait are refused after one wait, not one after another."""
    monkeypatch.setattr(sharing, "SHARED_WAIT_S_MAX", 1)
    gate, waits = shared.gate(), list[int]()
    record = together(gate)._record
    begin = record.begin
    monkeypatch.setattr(record, "begin", lambda: waits.append(len(together(gate)._queue)) or begin())
    asked = [shared.gated.action().bytes for _ in range(12)]
    with ThreadPoolExecutor(len(asked)) as threads, turn_of_another(shared):
        answers = list(threads.map(gate.ask, asked, timeout=WAIT_S))
    assert {answer.verdict for answer in answers} == {"deny"}
    assert len(waits) < len(asked), "and as many for the receipts of their denials"
    assert shared.receipts() == []


def test_what_one_asks_ends_no_others_turn(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question over which the gate stumbles is its asker's trouble alone; the five beside it are answered.

    Fails when what deciding raises for one leaves the turn.
    """
    gate, judge, number = shared.gate(), Gate._judge, count(1)

    def stumbles(self: Gate, *given: Any) -> Any:
        if next(number) == 3:
            raise KeyError("a fault of ours")
        return judge(self, *given)

    monkeypatch.setattr(Gate, "_judge", stumbles)
    asked = [shared.gated.action().bytes for _ in range(6)]
    with ThreadPoolExecutor(len(asked)) as threads:
        with turn_of_another(shared):
            answers = [threads.submit(gate.ask, data) for data in asked]
            until(lambda: len(together(gate)._queue) == 6)
        errors = [answer.exception(WAIT_S) for answer in answers]
    assert [type(error) for error in errors if error is not None] == [KeyError]
    assert [answer.result().verdict for answer in answers if answer.exception() is None] == ["permit"] * 5
    assert len(shared.receipts()) == 5


def test_a_stop_met_while_questions_wait_closes_them(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """I9: what the questions were looked ahead for is looked at again once another process recorded a stop.

    Fails when a stop that is read in the turn does not make the look before it void.
    """
    one, two, go, begun = shared.gate(), shared.gate(), threading.Event(), threading.Event()
    assert two.ask(shared.gated.action().bytes).verdict == "permit"
    file = together(one).file

    def files(signed: Any) -> None:
        begun.set()
        assert go.wait(WAIT_S)
        file(signed)

    monkeypatch.setattr(together(one), "file", files)
    stop = shared.gated.sign("ALFA", "stop", (ALL,), {"reason": "drill"}, "commander")
    with ThreadPoolExecutor(4) as threads:
        stopped = threads.submit(one.stop, stop)
        assert begun.wait(WAIT_S)
        answers = [threads.submit(two.ask, shared.gated.action().bytes) for _ in range(3)]
        until(lambda: len(together(two)._queue) == 3)
        go.set()
        assert stopped.result(WAIT_S).event == "stopped"
        assert [answer.result(WAIT_S).verdict for answer in answers] == ["deny"] * 3
    assert [one["event"] for one in shared.receipts()] == ["permitted", "stopped"] + ["denied"] * 3


def test_bad_news_counts_from_the_next_question_on(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that came to this node after the turn was asked for: who asked before it goes, who asks after it does not.

    Fails when a look serves who asked after it was made.
    """
    gate, looked = shared.gate(), threading.Event()
    record = together(gate)._record
    begin = record.begin
    monkeypatch.setattr(record, "begin", lambda: looked.set() or begin())
    with ThreadPoolExecutor(2) as threads:
        with turn_of_another(shared):
            first = threads.submit(gate.ask, shared.gated.action().bytes)
            assert looked.wait(WAIT_S)
            shared.writer.take_loose(shared.gated.sign("ALFA", "stop", (ALL,), {"reason": "drill"}, "commander"))
            second = threads.submit(gate.ask, shared.gated.action().bytes)
            until(lambda: len(together(gate)._queue) == 2)
        assert (first.result(WAIT_S).verdict, second.result(WAIT_S).verdict) == ("permit", "deny")
    assert [one["event"] for one in shared.receipts()] == ["permitted", "stopped", "denied"]


def test_turns_are_given_in_the_order_in_which_they_were_asked_for(shared: Shared) -> None:
    """Four processes wait for a fifth; no one that comes later, or comes again, has its turn before them.

    Fails when the row is all that they wait for.
    """
    records = [sharing.shared_record(shared.writer) for _ in range(5)]
    order: list[int] = []

    def turn(number: int) -> None:
        record = records[number]
        assert record is not None
        record.receipts(record.begin())
        order.append(number)
        record.commit([{"number": number}], [])

    first = records[0]
    assert first is not None
    first.receipts(first.begin())
    with ThreadPoolExecutor(4) as threads:
        waiting = []
        for number in (3, 1, 4, 2):
            waiting.append(threads.submit(turn, number))
            until(lambda: waiting_for_a_turn(shared) == len(waiting))
        first.commit([{"number": 0}], [])
        turn(0)
        for one in waiting:
            one.result(WAIT_S)
    assert order == [3, 1, 4, 2, 0]
    for record in records:
        assert record is not None
        record.close()


def waiting_for_a_turn(shared: Shared) -> int:
    import psycopg

    with psycopg.connect(shared.url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()
    return 0 if row is None else int(row[0])
