"""Second opinions as every member's status page shows them."""

from __future__ import annotations

from typing import Any

import pytest
from charters import member
from decisions import NAMES, RELEASE, Paper, pack_charter

from watchword.account.opinions import opinions
from watchword.account.status import Known, render_text, status
from watchword.evaluate.draw import seed_of
from watchword.record.third import interest


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


def lab(paper: Paper, by: str, run: str, asker: str, drawn_from: str = "ECHO", **changes: Any) -> None:
    """*by*'s replication as a lab, drawn for *asker*."""
    origin = paper.charter.member(drawn_from).origins["ledger"]
    place = {"origin": origin, "size": 3, "root": "AAAA"}
    seed = seed_of(run, origin, 3, "AAAA", f"replication {asker}")
    tool = {"name": "secml-torch", "version": "1.5"}
    opinion(paper, by, run, sharing="third-lab", tool=tool, **({"seed": seed, "drawn": place} | changes))


def test_a_third_lab_counts_when_it_is_one() -> None:
    """CHARLIE, asked by BRAVO, about ALFA's evaluation, drawn from ECHO's ledger: nobody there has an interest."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    lab(paper, "CHARLIE", run, "BRAVO")
    assert words(paper) == ["agree: CHARLIE (replication, secml-torch, third lab); 2 independent opinions"]


@pytest.mark.parametrize(
    ("by", "asker", "more", "why"),
    [
        ("CHARLIE", "CHARLIE", {}, "CHARLIE asked"),
        ("CHARLIE", "BRAVO", {"drawn_from": "CHARLIE"}, "drawn from its own ledger"),
        ("CHARLIE", "BRAVO", {"seed": "sha256:" + "0" * 64}, "drawn for nobody"),
        ("CHARLIE", "BRAVO", {"drawn": None}, "drawn for nobody"),
        ("CHARLIE", "NOBODY", {}, "drawn for nobody"),
    ],
)
def test_who_has_an_interest_is_no_third_lab(by: str, asker: str, more: dict[str, Any], why: str) -> None:
    """It is shown with why, and not counted. Fails when the label is believed."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    lab(paper, by, run, asker, **more)
    (told,) = words(paper)
    assert f"no third lab: {why}" in told and told.endswith("; 1 independent opinion")


def test_the_supplier_is_no_third_lab() -> None:
    """Whoever claims the release under its own or its operator's name has an interest; so has who evaluated."""
    members = [member(name) | ({"operator": "AQUILA"} if name == "CHARLIE" else {}) for name in NAMES]
    paper = Paper(pack_charter(members=members))
    run = paper.say("evaluation", "ALFA").signed.statement
    claim = paper.say("claim", "AQUILA").signed.statement
    assert interest(paper.charter, [claim], run, "CHARLIE", "BRAVO") == f"CHARLIE supplies it: claim {claim.id}"
    assert interest(paper.charter, [], run, "CHARLIE", "BRAVO") == ""
    assert interest(paper.charter, [claim], run, "DELTA", "BRAVO") == ""
    assert interest(paper.charter, [claim], run, "ALFA", "BRAVO") == "ALFA evaluated"


def test_a_dispute_stands_on_every_members_page() -> None:
    """Whoever holds it sees it, with who says so; the newest word of a member is its word."""
    paper = Paper()
    run = paper.say("evaluation", "ALFA").signed.statement.id
    opinion(paper, "BRAVO", run, verdict="dispute")
    for name in ("ALFA", "CHARLIE"):
        known = Known(paper.charter, name, paper.view(), paper.facts(), paper.now, (), (), ())
        text = render_text(status(known))
        assert f"attack-success-rate 4 of 200 (0.005 to 0.05), {RELEASE.name}" in text
        assert "DISPUTE: BRAVO (replication, watchword-evaluate); 1 independent opinion" in text
