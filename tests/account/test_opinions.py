"""Second opinions as every member's status page shows them."""

from __future__ import annotations

from typing import Any

from decisions import RELEASE, Paper

from watchword.account.opinions import opinions
from watchword.account.status import Known, render_text, status


def opinion(paper: Paper, by: str, statement: str, **changes: Any) -> None:
    paper.say("opinion", by, statement=statement, **changes)


def words(paper: Paper) -> list[str]:
    return [one.words() for one in opinions(paper.charter, paper.facts().statements)]


def test_two_members_with_the_same_tool_are_one_opinion() -> None:
    """However many run the same tool again, it is one opinion; another tool makes two. Fails when operators are
    counted."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    assert words(paper) == []
    opinion(paper, "BRAVO", run)
    opinion(paper, "CHARLIE", run)
    one = "(replication, watchword-evaluate)"
    assert words(paper) == [f"agree: BRAVO {one}, CHARLIE {one}; 1 independent opinion"]
    opinion(paper, "DELTA", run, tool={"name": "secml-torch", "version": "1.5"})
    assert words(paper)[0].endswith("2 independent opinions")


def test_nobody_is_a_second_opinion_on_itself() -> None:
    """The evaluator's own word on its own run is not shown."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    opinion(paper, "ALFA", run, tool={"name": "secml-torch", "version": "1.5"})
    assert words(paper) == []


def test_a_transcript_is_shown_and_not_counted() -> None:
    """The subject answered where nobody else saw it."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    opinion(paper, "BRAVO", run, sharing="transcript", tool={"name": "secml-torch", "version": "1.5"})
    assert words(paper) == ["agree: BRAVO (replication, secml-torch, transcript only); 1 independent opinion"]


def test_a_dispute_stands_on_every_members_page() -> None:
    """Whoever holds it sees it, with who says so; the newest word of a member is its word."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    opinion(paper, "BRAVO", run, verdict="dispute")
    for member in ("ALFA", "CHARLIE"):
        known = Known(paper.charter, member, paper.view(), paper.facts(), paper.now, (), (), ())
        text = render_text(status(known))
        assert f"attack-success-rate 4 of 200 (0.005 to 0.05), {RELEASE.name}" in text
        assert "DISPUTE: BRAVO (replication, watchword-evaluate); 1 independent opinion" in text
