"""A node in figures: each against a state that was made for it, and none that names what it must not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alliance import RELEASE, notice_subject
from charters import UNQUERIED
from gate.gated import ALONE, NAMES, SLEW, Gated, gated

from watchword.account.figures import Figure, Figures
from watchword.node import Node
from watchword.statements.times import rfc3339


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Gated]:
    made = gated(tmp_path, ALONE)
    yield made
    made.close()


def read(of: Figures) -> dict[str, dict[str, float]]:
    of.make()
    return {one.name: one.values for one in of.read()}


def test_the_gate_in_figures(here: Gated) -> None:
    """Receipts by event, holds that wait and since when, receipts under no head; each as the record grows."""
    figures = Figures(here.at("ALFA"))
    assert read(figures)["holds_waiting"] == {"": 0}
    here.ask()
    here.ask(args={"folder": "outbox"})
    asked_s = int(here.clock.now().timestamp())
    hold = here.held()
    here.clock.advance(100)
    found = read(figures)
    assert found["receipts"] == {"permitted": 1, "denied": 1, "held": 1}
    assert found["holds_waiting"] == {"": 1} and found["hold_oldest_timestamp_seconds"] == {"": asked_s}
    assert found["receipts_unanchored"] == {"": 3}
    here.at("ALFA").anchor_record()
    here.approve(hold, "ALFA")
    here.gate.release(hold)
    found = read(figures)
    assert found["holds_waiting"] == {"": 0} and found["hold_oldest_timestamp_seconds"] == {}
    assert found["receipts"]["released"] == 1 and found["receipts_unanchored"] == {"": 2}


def test_a_hold_that_nobody_released_in_time_waits_no_more(here: Gated) -> None:
    """Past its end, before any gate has recorded so."""
    here.held()
    here.clock.advance(301)
    assert read(Figures(here.at("ALFA")))["holds_waiting"] == {"": 0}


def test_what_was_counted_once_is_not_counted_again(here: Gated) -> None:
    """A scrape takes in new receipts only: the counter of a process that goes on never falls back."""
    node, figures, asked = here.at("ALFA"), Figures(here.at("ALFA")), []
    events = node.record_events
    node.record_events = lambda start=0: asked.append(start) or events(start)  # type: ignore[method-assign]
    here.ask()
    read(figures)
    here.ask()
    found = {one.name: one.values for one in figures.read()}
    assert found["receipts"] == {"permitted": 2} and asked[-1] == 1


def test_ledgers_and_their_witnesses_in_figures(tmp_path: Path) -> None:
    """Leaves, those without a quorum, how many operators cosigned the newest head, and how many it needs."""
    here = gated(tmp_path, NAMES)
    node = here.at("ALFA")
    before = read(Figures(node))
    assert before["ledger_leaves"]["ledger"] == 3 and before["ledger_leaves_waiting"] == {"ledger": 0, "notices": 0}
    # BRAVO runs DELTA: four witnesses, three operators.
    assert (before["witness_operators"], before["witness_quorum"]) == ({"": 3}, {"": node.charter.quorum.witness})
    cosigned = before["ledger_cosigned_timestamp_seconds"]["ledger"]
    here.clock.advance(500)
    here.ask()
    node.anchor_record()
    node.publish()
    after = read(Figures(node))
    assert after["ledger_leaves"]["ledger"] == 4 and after["ledger_leaves_waiting"]["ledger"] == 1
    assert after["ledger_cosignatures"]["ledger"] == 1
    assert after["ledger_cosigned_timestamp_seconds"]["ledger"] == cosigned
    assert after["ledger_cosignature_oldest_timestamp_seconds"]["ledger"] == int(here.clock.now().timestamp())
    here.close()


def test_a_week_in_figures(here: Gated) -> None:
    """A mandate of a day lapses within seven and thirty; a use that is admitted counts as that."""
    found = read(Figures(here.at("ALFA")))
    assert found["lapsing"] == {"7d": 1, "30d": 1} and found["uses"] == {"admitted": 1, "refused": 0}
    assert found["recalls_unanswered"] == {"": 0} and found["recalls_overdue"] == {"": 0}


def test_a_recall_is_owed_until_it_is_answered_and_overdue_after_its_deadline(here: Gated) -> None:
    """Owed from the moment it is held, overdue when its time has passed."""
    node = here.at("ALFA")
    deadline = rfc3339(here.clock.now() + timedelta(hours=1))
    target = f"release:{RELEASE.digest}"
    fields = {"target": target, "reason": "payload found", "actions": [], **UNQUERIED, "deadline": deadline}
    node.take_loose(here.sign("ALFA", "recall", notice_subject(target), fields, "official"))
    found = read(Figures(node))
    assert (found["recalls_unanswered"], found["recalls_overdue"]) == ({"": 1}, {"": 0})
    here.clock.advance(3_601)
    found = read(Figures(node))
    assert (found["recalls_unanswered"], found["recalls_overdue"]) == ({"": 1}, {"": 1})


def test_slow_figures_are_not_made_at_every_scrape(here: Gated) -> None:
    """Due at first; within a minute not again, later only when a statement came or ten minutes passed. A receipt is
    counted without them."""
    figures = Figures(here.at("ALFA"))
    assert figures.due() and not figures.due()
    here.ask()
    here.clock.advance(61)
    assert not figures.due()
    here.at("ALFA").anchor_record()
    assert figures.due()
    here.at("ALFA").anchor_record()
    assert not figures.due()
    here.clock.advance(61)
    assert not figures.due()
    here.clock.advance(600)
    assert figures.due()


def test_figures_name_nothing_but_peers(here: Gated) -> None:
    """No release, person, tool, mandate or address is a label or a name; a peer is, where ``node.toml`` names it."""
    here.held()
    here.ask("launch", SLEW)
    figures: list[Figure] = Figures(here.at("ALFA")).read()
    words = {word for one in figures for word in (one.name, one.label, *one.values)}
    assert words <= {*_NAMES, "", "ledger", "notices", "event", "peer"}


_NAMES = {
    "disk_free_bytes", "disk_size_bytes", "ledger_leaves", "ledger_leaves_waiting", "ledger_cosigned_timestamp_seconds",
    "ledger_cosignatures", "ledger_cosignature_oldest_timestamp_seconds", "witness_operators", "witness_quorum",
    "head_age_max_seconds", "forks_kept", "peer_cosigned_timestamp_seconds", "peer_synced_timestamp_seconds",
}  # fmt: skip


def test_a_reader_sees_what_another_process_wrote(here: Gated) -> None:
    """``serve`` only reads: what a gate beside it recorded is in its next figures."""
    with Node.open(here.folder / "ALFA", clock=here.clock) as reader:
        figures = Figures(reader)
        assert read(figures)["receipts"] == {}
        here.ask()
        assert read(figures)["receipts"] == {"permitted": 1}
