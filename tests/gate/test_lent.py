"""A door that runs for days: those who ask together share a sync, and other commands get their turn all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gate.gated import Gated

from watchword.gate.mcp import lent as module
from watchword.gate.mcp.lent import Lent
from watchword.node import Node


@pytest.fixture
def lent(here: Gated) -> Iterator[Lent]:
    """The gate of ALFA's home as a door has it."""
    here.nodes.pop("ALFA").close()
    one = Lent(here.folder / "ALFA", clock=here.clock)
    yield one
    one.close()


def test_those_who_ask_together_share_a_sync(here: Gated, lent: Lent) -> None:
    """16 answers of one door take fewer syncs than answers; seen to fail while a question kept the gate to itself."""
    start, answers, groups = threading.Barrier(16), list[Any](), list[int]()

    def ask(data: bytes) -> None:
        start.wait()
        with lent.together() as gate:
            answers.append(gate.ask(data))

    with lent.together() as gate:
        append = gate.node.append_record

        def slow(events: list[dict[str, Any]], at: int | None = None) -> range:
            groups.append(len(events))
            threading.Event().wait(0.05)
            return append(events, at)

        gate.node.append_record = slow  # type: ignore[method-assign,assignment]
        threads = [threading.Thread(target=ask, args=(here.action().bytes,)) for _ in range(16)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert [answer.verdict for answer in answers] == ["permit"] * 16
    assert sum(groups) == 16
    assert len(groups) < 16


@contextmanager
def asking(here: Gated, lent: Lent) -> Iterator[list[str]]:
    """Four threads that ask without a pause; what they were answered."""
    told, over = list[str](), threading.Event()

    def ask() -> None:
        while not over.is_set():
            with lent.together() as gate:
                told.append(gate.ask(here.action().bytes).verdict)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_busy_door_lets_a_command_in(here: Gated, lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer beside four threads that never pause gets the node, and they go on; seen to fail without the wait of
    newcomers when a stretch is over."""
    monkeypatch.setattr(module, "GATE_LENT_S_MAX", 0.1)
    with asking(here, lent) as told:
        with Node.open(here.folder / "ALFA", clock=here.clock, writing=True) as node:
            node.publish()
            before = len(told)
        while len(told) < before + 8:
            threading.Event().wait(0.01)
    assert set(told) == {"permit"}


def test_an_idle_door_gives_the_node_back(here: Gated, lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node is free a moment after the last question, and the door opens it again for the next."""
    monkeypatch.setattr(module, "GATE_IDLE_S", 0.05)
    for _ in range(2):
        with lent.gate() as gate:
            assert gate.ask(here.action().bytes).verdict == "permit"
        Node.open(here.folder / "ALFA", clock=here.clock, writing=True).close()


def test_a_turn_within_a_turn_is_the_same_turn(here: Gated, lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the gate may ask for it again, also after the stretch is over: he does not wait for himself."""
    monkeypatch.setattr(module, "GATE_LENT_S_MAX", -1.0)
    with lent.gate(), lent.gate() as gate:
        assert gate.ask(here.action().bytes).verdict == "permit"
