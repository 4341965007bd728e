"""A claim beside later evidence: line by line, intervals and not points, and nothing that falls helps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from decisions import Paper

from watchword.account.claims import Comparison, compare
from watchword.ledger.view import Fact

TEST = {
    "by": "AQUILA", "method": "renamed files", "metric": "attack-success-rate", "n": 200, "k": 4, "bound": "at most",
    "value": "0.10",
}  # fmt: skip
ACCURATE = TEST | {"method": "held out", "metric": "accuracy", "bound": "at least", "value": "0.9"}
MAILS = "sha256:" + "0d" * 32


def against(paper: Paper, claim: Fact, fell: Mapping[str, str] | None = None, days: int = 0) -> Comparison:
    return compare(claim, paper.statements, fell or {}, paper.now + timedelta(days=days))


def states(comparison: Comparison) -> list[tuple[str, str]]:
    return [(line.part, line.state) for line in comparison.lines]


@pytest.mark.parametrize(
    ("claimed", "low", "high", "state"),
    [
        (TEST, "0.005", "0.05", "confirmed"),
        (TEST, "0.005", "0.10", "confirmed"),
        (TEST, "0.005", "0.11", "unsettled"),
        (TEST, "0.10", "0.40", "unsettled"),
        (TEST, "0.101", "0.40", "contradicted"),
        (ACCURATE, "0.9", "0.99", "confirmed"),
        (ACCURATE, "0.80", "0.91", "unsettled"),
        (ACCURATE, "0.80", "0.89", "contradicted"),
    ],
)
def test_an_interval_confirms_or_contradicts_only_as_a_whole(
    claimed: dict[str, Any], low: str, high: str, state: str
) -> None:
    """A run too small to tell settles nothing, on either side of the bound."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA", tested=[claimed])
    paper.say("evaluation", "ALFA", method=claimed["method"], metric=claimed["metric"], low=low, high=high)
    assert states(against(paper, claim)) == [("tested", state)]


def test_the_worst_run_wins_and_does_not_win_less_when_it_falls() -> None:
    """BRAVO's contradiction stands beside ALFA's confirmation, also after BRAVO takes it back.

    Fails where a fallen contradiction is dropped, and was seen to.
    """
    paper = Paper()
    claim = paper.say("claim", "AQUILA", tested=[TEST])
    paper.say("evaluation", "ALFA", low="0.005", high="0.05")
    worst = paper.say("evaluation", "BRAVO", low="0.30", high="0.40").signed.statement.id
    assert states(against(paper, claim)) == [("tested", "contradicted")]
    taken_back = against(paper, claim, {worst: "retracted"})
    assert taken_back.contradicted
    assert [(one.does, one.fell) for one in taken_back.lines[0].found] == [
        ("confirms", ""),
        ("contradicts", "retracted"),
    ]


def test_what_fell_confirms_nothing() -> None:
    """A confirmation that was disputed leaves the line where it was, and is shown."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA", tested=[TEST])
    run = paper.say("evaluation", "ALFA", low="0.005", high="0.05").signed.statement.id
    assert states(against(paper, claim, {run: "disputed"})) == [("tested", "unsettled")]


def test_a_supplier_does_not_confirm_itself() -> None:
    """Its own bill of materials confirms no data set; another digest in it contradicts its claim."""
    paper = Paper()
    same = paper.say("claim", "AQUILA", trained_on=[{"name": "mails", "digest": "sha256:" + "0b" * 32}])
    other = paper.say("claim", "AQUILA", trained_on=[{"name": "mails", "digest": MAILS}])
    bill = paper.say("bill-of-materials", "AQUILA")
    assert bill.signed.statement.predicate["datasets"] == [{"name": "mails", "digest": "sha256:" + "0b" * 32}]
    assert states(against(paper, same)) == [("trained on", "not re-run")]
    assert states(against(paper, other)) == [("trained on", "contradicted")]


@pytest.mark.parametrize(
    ("name", "digest", "state"),
    [
        ("mails", MAILS, "confirmed"),
        ("letters", MAILS, "confirmed"),
        ("mails", "sha256:" + "ee" * 32, "contradicted"),
        ("mails", None, "unsettled"),
        ("letters", None, "not re-run"),
    ],
)
def test_data_are_the_same_when_their_manifest_is(name: str, digest: str | None, state: str) -> None:
    """A data set is known by its digest; under a name alone nothing was claimed that could turn out false."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA", trained_on=[{"name": name, "digest": digest}])
    paper.say("data-screening", "CHARLIE", delivered=MAILS)
    assert states(against(paper, claim)) == [("trained on", state)]


def test_what_a_claim_leaves_out_is_told_beside_it() -> None:
    """Another spelling of a method, a finding, a doubt, a data set: nothing that others found is hidden by silence."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA", tested=[TEST], known_weaknesses=[{"text": "stamps", "method": "stamped"}])
    paper.say("evaluation", "ALFA", method="Renamed files")
    paper.say("evaluation", "BRAVO", method="stamped")
    paper.say("inspection", "ALFA", verdict="dangerous", dangerous=1)
    paper.say("inspection", "BRAVO")
    paper.say("review", "ALFA", outcome="against")
    paper.say("data-screening", "CHARLIE")
    found = against(paper, claim)
    assert states(found) == [("tested", "not re-run"), ("known weakness", "confirmed")]
    assert [(one.statement.kind, one.statement.issuer) for one in found.unclaimed] == [
        ("evaluation", "ALFA"),
        ("inspection", "ALFA"),
        ("review", "ALFA"),
        ("data-screening", "CHARLIE"),
    ]


def test_support_ends_when_the_claim_says() -> None:
    """After its last day support has lapsed; a claim that promises none has no such line."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA", support_until="2026-02-10T00:00:00Z")
    assert states(against(paper, claim)) == [("support", "promised")]
    assert states(against(paper, claim, days=30)) == [("support", "lapsed")]
    assert states(against(paper, paper.say("claim", "AQUILA"))) == []
