"""While a node serves, the head of its looks goes into its ledger by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from alliance import Alliance
from three import alliance as alliance
from three import template as template

pytest.importorskip("starlette", reason="the extra serve is not installed")

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import LOOKS_OVERDUE_S, LOOKS_RETRY_S
from watchword.node import Node, looks
from watchword.node.around import looked
from watchword.node.home import lock_home
from watchword.observe import steps
from watchword.web import anchoring
from watchword.web.anchoring import Anchoring

EVERY_S = 1800.0


class Troubles(steps.Watcher):
    """What operators were told."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def trouble(self, kind: str, message: str, step: steps.Step | None) -> None:
        self.kinds.append(kind)


@pytest.fixture
def serving(alliance: Alliance) -> Node:
    """ALFA's node, open for reading, as ``serve`` has it; nobody writes it."""
    alliance.nodes["ALFA"].close()
    return Node.open(alliance.home("ALFA"), clock=alliance.clock)


def look(serving: Node, page: str = "/console/status") -> None:
    looks.Looks(serving).add({"how": "passkey", "member": "ALFA", "page": page, "person": "official"})


def anchored(serving: Node) -> int:
    """How many looks the newest head in the ledger has under it, as somebody who reads the home now finds it."""
    with Node.open(serving.home, clock=serving.clock) as fresh:
        found = looks.Looks(fresh).check()
        assert found.wrong == ()
        return found.anchored


def test_what_was_looked_at_is_anchored_at_each_whole_interval(alliance: Alliance, serving: Node) -> None:
    """At the start, then at multiples of the interval from there, however late a turn was taken."""
    look(serving)
    turns = Anchoring(serving, None, EVERY_S)
    assert turns.turn() == EVERY_S and anchored(serving) == 1
    look(serving)
    alliance.clock.advance(EVERY_S - 1)
    assert turns.turn() == 1 and anchored(serving) == 1
    alliance.clock.advance(601)  # ten minutes late: the next is not
    assert turns.turn() == EVERY_S - 600 and anchored(serving) == 2
    with Node.open(serving.home, clock=alliance.clock) as fresh:
        assert fresh.record_size() == 0 and fresh.heads()[0].size == 2  # published, for others to cosign


def test_where_nobody_looked_the_node_is_not_opened(
    alliance: Alliance, serving: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quiet node is not written, and not read from its first statement on each hour, either."""
    opened: list[Path] = []
    was = Node.open
    monkeypatch.setattr(
        anchoring.Node, "open", lambda home, **how: (opened.append(home), was(home, **how))[1]
    )  # fmt: skip
    turns = Anchoring(serving, None, EVERY_S)
    for _ in range(3):
        turns.turn()
        alliance.clock.advance(EVERY_S)
    assert opened == []
    look(serving)
    for _ in range(3):
        turns.turn()
        alliance.clock.advance(EVERY_S)
    assert len(opened) == 1


def test_a_full_disk_ends_no_turn_and_is_told_once_an_interval(
    alliance: Alliance, serving: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again each minute until it succeeds, and then on time. Fails where a turn lets an error out."""
    look(serving)
    full = True

    def append(node: Node) -> object:
        if full:
            raise durable.StorageTrouble("no space left on device")
        return was(node)

    was, told = looks.anchor, Troubles()
    monkeypatch.setattr(looks, "anchor", append)
    turns = Anchoring(serving, None, EVERY_S)
    with steps.watching(told):
        for _ in range(40):
            assert turns.turn() == LOOKS_RETRY_S
            alliance.clock.advance(LOOKS_RETRY_S)
        assert told.kinds == ["StorageTrouble", "StorageTrouble"] and anchored(serving) == 0
        full = False
        assert turns.turn() == 2 * EVERY_S - 40 * LOOKS_RETRY_S and anchored(serving) == 1


def test_what_nobody_foresaw_is_told_and_ends_no_turn(serving: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that died would anchor nothing any more, and nobody would know. Fails without ``except Exception``."""

    def broken(_: Node) -> object:
        raise ValueError("ann")

    look(serving)
    monkeypatch.setattr(looks, "anchor", broken)
    told = Troubles()
    with steps.watching(told):
        assert Anchoring(serving, None, EVERY_S).turn() == LOOKS_RETRY_S
    assert told.kinds == ["ValueError"]


def test_a_node_that_somebody_writes_is_waited_for(
    alliance: Alliance, serving: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that takes minutes is no trouble; the head goes in when it is over."""
    monkeypatch.setattr("watchword.node.home.NODE_LOCK_WAIT_S_MAX", 0.0)
    look(serving)
    told, turns = Troubles(), Anchoring(serving, None, EVERY_S)
    lock = lock_home(serving.home, "ALFA")
    with steps.watching(told):
        assert turns.turn() == LOOKS_RETRY_S
        lock.close()
        alliance.clock.advance(LOOKS_RETRY_S)
        assert turns.turn() == EVERY_S - LOOKS_RETRY_S
    assert told.kinds == [] and anchored(serving) == 1


def test_two_that_serve_one_home_anchor_once(serving: Node) -> None:
    """Each has its turn; the second finds nothing new, and writes no statement."""
    look(serving)
    Anchoring(serving, None, EVERY_S).turn()
    Anchoring(serving, None, EVERY_S).turn()
    with Node.open(serving.home, clock=serving.clock) as fresh:
        assert [one.statement.kind for one in fresh.statements()] == ["record-head"]


def test_the_thread_takes_its_first_turn_at_once_and_ends_when_told(serving: Node) -> None:
    """Left, nothing of it runs on: the last turn is over, and what it began is in the ledger."""
    look(serving)
    with Anchoring(serving, None, EVERY_S) as turns:
        pass
    assert anchored(serving) == 1 and turns.turn() == EVERY_S


def test_doctor_says_when_heads_are_overdue(alliance: Alliance, serving: Node) -> None:
    """Well while they wait for their hour; to be looked at when the oldest waited for half a day; well again after."""

    def states() -> list[tuple[str, str]]:
        return [(one.state, one.what) for one in looked(serving)]

    assert states() == []
    look(serving)
    alliance.clock.advance(LOOKS_OVERDUE_S)
    look(serving)
    assert states() == [("well", "2 wait for their head in the ledger")]
    alliance.clock.advance(1)
    ((state, what),) = states()
    assert state == "look" and what == "2 are under no head in the ledger, the oldest of 2026-01-31T12:00:00Z"
    Anchoring(serving, None, EVERY_S).turn()
    serving = Node.open(serving.home, clock=alliance.clock)
    assert states() == [("well", "0 wait for their head in the ledger")]


def test_nobody_is_asked_for_a_passphrase_by_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the start a prompt would wait at a terminal that nobody watches. Fails where it is asked."""
    import argparse

    from watchword.cli.output import NoPassphrase, unasked

    monkeypatch.delenv("WATCHWORD_PASSPHRASE_FILE", raising=False)
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return b"secret"

    args = argparse.Namespace(passphrase_fd=None)
    with pytest.raises(NoPassphrase):
        unasked(args, ask)()
    assert asked == [] and issubclass(NoPassphrase, WatchwordError)
    assert unasked(argparse.Namespace(passphrase_fd=3), ask)() == b"secret"
