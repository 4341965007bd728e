"""What the pack about evaluations asks: a plan before the draw, no flag, and two tools where harm is immediate."""

from __future__ import annotations

from typing import Any

import pytest
from decisions import Paper, pack_charter, row

from watchword.policy.pack import find_packs

PLANNED: dict[str, Any] = {
    "plan": "sha256:" + "0a" * 32, "drawn": {"origin": "bravo.example/ledger", "root": "AAAA", "size": 3}, "flags": "",
}  # fmt: skip


def asked() -> Paper:
    return Paper(pack_charter(requirements=find_packs(["alliance", "planned-evaluations"]).requirements))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "met"),
        ({"plan": None}, "unmet"),
        ({"drawn": None}, "unmet"),
        ({"flags": None}, "unmet"),
        ({"flags": "zero-gradients"}, "unmet"),
        ({"metric": "accuracy"}, "unmet"),
    ],
)
def test_an_evaluation_counts_as_planned_only_with_all_that_shows_it(changes: dict[str, Any], state: str) -> None:
    """Plan, draw and empty flags; fails with any of the row's conditions removed."""
    paper = asked()
    paper.say("evaluation", "ALFA", **PLANNED | changes)
    assert row(paper.decide(criticality=2), "planned-evaluation")["state"] == state
    assert row(paper.decide(criticality=1), "planned-evaluation")["state"] == "does not apply"


def test_another_tools_report_is_not_in_the_way() -> None:
    """It has no plan: not counted, and no reason to refuse."""
    paper = asked()
    paper.say("evaluation", "BRAVO", tool={"name": "garak", "version": "0.17"})
    paper.say("evaluation", "ALFA", **PLANNED)
    judged = row(paper.decide(criticality=2), "planned-evaluation")
    assert (judged["state"], judged["there"], judged["failing"]) == ("met", 1, [])


def test_two_members_with_one_tool_are_one_where_harm_is_immediate() -> None:
    """A second operator with the same tool does not do; with another it does."""
    paper = asked()
    for member in ("ALFA", "BRAVO"):
        paper.say("evaluation", member, **PLANNED)
    assert row(paper.decide(criticality=3), "planned-by-two-tools")["state"] == "unmet"
    paper.say("evaluation", "CHARLIE", tool={"name": "secml-torch", "version": "1.5"}, **PLANNED)
    assert row(paper.decide(criticality=3), "planned-by-two-tools")["state"] == "met"
