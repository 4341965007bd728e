"""Receipts in groups: many who ask at once share a sync, nobody hears an answer before it is durable."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from gate.gated import Gated

from watchword.gate import Answer, Gate
from watchword.ledger.durable import StorageTrouble


def at_once(one: Gated, count: int, tool: str = "read-mail", args: dict[str, Any] | None = None) -> list[Answer]:
    """*count* threads ask for one action each."""
    actions = [one.action(tool, args).bytes for _ in range(count)]
    start, answers = threading.Barrier(count), list[Answer]()

    def ask(data: bytes) -> None:
        start.wait()
        answers.append(one.gate.ask(data))

    threads = [threading.Thread(target=ask, args=(data,)) for data in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class SlowDisk:
    """A node's ``append_record`` that waits until told; it counts its groups, or breaks at one of them."""

    def __init__(self, one: Gated, breaks_at: int | None = None) -> None:
        self.node, self.groups, self.breaks_at = one.at("ALFA"), list[int](), breaks_at
        self.append = self.node.append_record
        self.node.append_record = self  # type: ignore[method-assign,assignment]

    def __call__(self, events: list[dict[str, Any]], at: int | None = None) -> range:
        threading.Event().wait(0.02)
        self.groups.append(len(events))
        if len(self.groups) - 1 == self.breaks_at:
            raise StorageTrouble("receipts: no space left on device", "free space")
        return self.append(events, at)


def test_those_who_ask_at_once_share_a_sync(here: Gated) -> None:
    """64 answers take few syncs, each has its own receipt, and the record says the same after a restart."""
    disk = SlowDisk(here)
    answers = at_once(here, 64)
    assert {answer.verdict for answer in answers} == {"permit"}
    assert sorted(answer.receipt or 0 for answer in answers) == list(range(64))
    assert sum(disk.groups) == 64
    assert len(disk.groups) < 40
    here.reopen()
    assert here.events() == ["permitted"] * 64


def test_a_quota_holds_within_a_group(here: Gated) -> None:
    """What was decided counts at once, before it is durable: 16 who ask together get two. Fails when it does not."""
    SlowDisk(here)
    answers = at_once(here, 16, "label-mail", {"label": "a"})
    assert [answer.verdict for answer in answers].count("permit") == 2


def test_a_group_that_the_disk_did_not_take_is_denied_whole(here: Gated) -> None:
    """And whatever was decided on top of it. The quota is free again, and the gate goes on.

    Fails when a failed group leaves its decisions in memory.
    """
    disk = SlowDisk(here, breaks_at=0)
    answers = at_once(here, 16, "label-mail", {"label": "a"})
    permitted = [answer for answer in answers if answer.verdict == "permit"]
    assert len(permitted) <= 2
    assert here.events().count("permitted") == len(permitted)
    assert any("no space left" in answer.reasons[0] for answer in answers)
    disk.breaks_at = None
    here.clock.advance(61)
    assert here.ask("label-mail", {"label": "a"}).verdict == "permit"
    again = here.events()
    here.reopen()
    assert here.events() == again


def test_an_interrupt_while_the_disk_writes_answers_nobody(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the sync: the caller hears of it, and the gate learns from its record what was kept."""

    def interrupted(*_: Any) -> range:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(here.at("ALFA"), "append_record", interrupted)
        with pytest.raises(KeyboardInterrupt):
            here.ask()
    assert here.events() == []
    assert here.ask().receipt == 0


def test_a_second_gate_over_the_same_node_never_decides_on_less(here: Gated) -> None:
    """Two gates in one process: each sees what the other recorded, and both quotas are one."""
    other = Gate(here.at("ALFA"))
    verdicts = []
    for number in range(4):
        gate = (here.gate, other)[number % 2]
        verdicts.append(gate.ask(here.action("label-mail", {"label": "a"}).bytes).verdict)
    assert verdicts == ["permit", "permit", "deny", "deny"]
