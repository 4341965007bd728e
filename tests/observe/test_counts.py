"""Counts of one process: what a scrape has of requests, decisions and trouble, and how many series there can be."""

from __future__ import annotations

from typing import Any

import pytest
from gate.gated import SLEW, Gated

pytest.importorskip("prometheus_client", reason="the extra observe is not installed")

from watchword.observe import steps
from watchword.observe.counts import Counts
from watchword.observe.steps import step, watching


def samples(counts: Counts) -> dict[tuple[str, ...], float]:
    """Values by name and labels' values, times left out."""
    return {
        (one.name, *one.labels.values()): one.value
        for family in counts.collect() for one in family.samples
        if not one.name.endswith(("_bucket", "_created", "_sum"))
    }  # fmt: skip


def test_decisions_are_counted_by_their_outcome_and_timed(here: Gated) -> None:
    """Each answer once; policy and receipt have times of their own."""
    counts = Counts()
    with watching(counts):
        here.ask()
        here.ask()
        here.ask(args={"folder": "outbox"})
        here.ask("slew-camera", SLEW)
        here.gate.ask(b"no json")
    found = samples(counts)
    assert found["watchword_decisions_total", "permitted"] == 2
    assert found["watchword_decisions_total", "denied"] == 2
    assert found["watchword_decisions_total", "held"] == 1
    assert found["watchword_decision_seconds_count",] == 5
    assert found["watchword_policy_seconds_count",] == 4
    assert found["watchword_receipt_durable_seconds_count",] == 5


def test_trouble_is_counted_by_its_class_alone(capsys: Any) -> None:
    """What it said is no label: it would make a series for each text. stderr has it still."""
    counts = Counts()
    with watching(counts):
        steps.trouble(OSError(28, "No space left on device"))
        steps.trouble(OSError(5, "Input/output error"))
        steps.note("fork", "FORK of alfa.example/ledger", alarm=True)
    found = samples(counts)
    assert found["watchword_troubles_total", "OSError"] == 2 and found["watchword_forks_met_total",] == 1
    assert capsys.readouterr().err.count("\n") == 3


def test_routes_and_times_of_requests_are_those_of_patterns() -> None:
    """One series a route, method and status."""
    counts = Counts()
    with watching(counts):
        for _ in range(3):
            with step("request", method="GET") as this:
                this.facts |= {"route": "/logs/{place}/checkpoint", "status": 200}
    found = samples(counts)
    assert found["watchword_requests_total", "GET", "/logs/{place}/checkpoint", "200"] == 3
    assert found["watchword_request_seconds_count", "/logs/{place}/checkpoint"] == 3
