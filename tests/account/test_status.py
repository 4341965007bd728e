"""The Monday page: each line is the real decision made again, now or at a moment ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from decisions import DAY, RELEASE, TRIAGE, Paper, pack_charter

from watchword.account.reliance import relied_on
from watchword.account.status import Known, Status, Use, board, render_text, status
from watchword.report.board import render
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339


def page(paper: Paper, member: str = "ALFA", waits: tuple[str, ...] = (), **use_case: Any) -> Status:
    view, facts = paper.view(), paper.facts()
    use = Use(RELEASE, TRIAGE | use_case, "ALFA#9", "ALFA", "admitted")
    relied = relied_on(paper.charter, view, facts, member, paper.now)
    return status(Known(paper.charter, member, view, facts, paper.now, (use,), relied, waits))


def test_what_may_be_used_is_decided_again() -> None:
    """A yes of yesterday is a no once a recall is known, and the page says that it was otherwise."""
    paper = Paper()
    paper.sound()
    found = page(paper)
    assert found.yes and [(line.what, line.good) for line in found.use] == [("mailsort 1.0 for mail-triage", True)]
    paper.loose.append(paper.bad_news("recall", "DELTA", "supplier:AQUILA"))
    found = page(paper)
    assert not found.yes
    assert found.use[0].why == "red line recalled, notice supplier AQUILA; it was admitted"
    assert found.trouble[0].what == "mailsort 1.0 for mail-triage: recall of supplier AQUILA"


def test_what_lapses_is_told_with_its_day_and_who_owes_it() -> None:
    """An inspection of 70 days meets a limit of 90 for 20 days more; one that ages past no limit is not told.

    Seen to fail with the view's own times kept: every ledger was stale ahead, and no row was told apart.
    """
    paper = Paper()
    paper.sound()
    paper.statements = [one for one in paper.statements if one.signed.statement.issuer != "BRAVO"]
    paper.say("inspection", "BRAVO", age=70 * DAY)
    found = page(paper)
    assert [(line.when, line.why, line.who) for line in found.lapses] == [
        ("2026-02-20T12:00:01Z", "two-inspections is met no longer", "owed by members")
    ]


def test_support_that_ends_is_told() -> None:
    """A supplier's own word about its release."""
    paper = Paper()
    paper.sound()
    paper.say("claim", "AQUILA", support_until="2026-02-10T00:00:00Z")
    assert ("support of mailsort 1.0", "2026-02-10T00:00:00Z") in [(one.what, one.when) for one in page(paper).lapses]


def test_what_is_owed_names_whether_another_could() -> None:
    """A missing inspection is owed by each who has not inspected; by one alone where nobody else is left."""
    paper = Paper()
    paper.sound()
    paper.statements = [one for one in paper.statements if one.signed.statement.issuer != "BRAVO"]
    assert page(paper, "ALFA").owes == ()
    (line,) = page(paper, "CHARLIE").owes
    assert (line.what, line.who) == ("1 inspection, mailsort 1.0 for mail-triage", "or by BRAVO, DELTA, ECHO")
    two = Paper(pack_charter(("ALFA", "BRAVO")))
    two.say("claim", "AQUILA")
    two.say("bill-of-materials", "AQUILA")
    two.say("inspection", "ALFA")
    two.say("data-screening", "ALFA")
    (line,) = page(two, "BRAVO").owes
    assert line.who == "by nobody else"


def test_nothing_is_owed_where_no_evidence_helps() -> None:
    """Nobody is sent to inspect a release that a red line has closed."""
    paper = Paper()
    paper.say("inspection", "CHARLIE", verdict="dangerous", dangerous=1)
    assert page(paper, "DELTA").owes == ()


def test_bad_news_of_one_waits_for_another_voice() -> None:
    """It lapses after 72 hours; who said it already is not asked, and where nobody may be faulty nothing lapses."""
    quorum = {"faulty": 1, "ratify": 4, "witness": 4}
    paper = Paper(pack_charter(quorum=quorum))
    paper.loose.append(paper.bad_news("recall", "DELTA", "supplier:AQUILA", age=timedelta(hours=2)))
    line, answer = page(paper, "ALFA").waits
    assert (line.what, line.who, line.when) == ("recall of supplier AQUILA", "DELTA", "2026-02-03T10:00:00Z")
    assert page(paper, "DELTA").waits == (answer,)
    paper = Paper()
    paper.loose.append(paper.bad_news("recall", "DELTA", "supplier:AQUILA"))
    assert page(paper, "ALFA").waits == (answer,)


def test_a_recall_waits_for_an_answer_and_shows_who_is_late_first() -> None:
    """Every member's answer has a line, late ones first, until it has answered; an exercise says that it is one."""
    paper = Paper()
    due = rfc3339(paper.now - DAY)
    recall = paper.notice("recall", "DELTA", "supplier:AQUILA", age=2 * DAY, deadline=due).signed
    paper.notice("recall", "DELTA", "exercise:model:base", age=DAY)
    assert recall is not None
    id = recall.statement.id
    paper.say("recall-answer", "ALFA", subject=Subject("statement", id), statement=id, answer="no", age=DAY / 2)
    found = page(paper, "ALFA")
    assert [line.what for line in found.waits] == ["answer to the exercise of a recall of model:base"]
    assert page(paper, "BRAVO").waits[0].what == "answer to the recall of supplier:AQUILA"
    rows = [line for line in found.recalls if line.what == "supplier:AQUILA"]
    assert "LATE by 24 h" in rows[0].why and rows[-1].why.startswith("ALFA") and len(rows) == 5
    assert "recalls, late ones first" in render_text(found)


def test_a_use_of_others_is_not_ours_but_may_be_owed() -> None:
    """Neither decided, owned nor shared by CHARLIE: not on its list of uses, and its evidence is still missing."""
    found = page(Paper(), "CHARLIE")
    assert found.use == () and {line.why for line in found.owes} >= {"data-accounted"}


def test_page_and_text_say_the_same_and_the_page_runs_nothing() -> None:
    """Every section has its heading in both; an empty one says what that means; text of others is inert."""
    paper = Paper()
    paper.sound()
    paper.loose.append(paper.bad_news("recall", "DELTA", "supplier:AQUILA", reason="<script>alert(1)</script>"))
    found = page(paper, waits=("action held",))
    text, html = render_text(found), render(board(found))
    for heading, _, _ in found.sections():
        assert f"\n{heading}\n" in text
        assert heading[0].upper() + heading[1:] in html
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "nothing that is known" in text and "nothing that is known" in html
