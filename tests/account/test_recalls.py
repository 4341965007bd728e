"""Orders of recall: who answers, who is late, what is hit at home and stays there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from decisions import DAY, RELEASE, Paper

from watchword.account.recalls import Order, hit_at_home, orders, render
from watchword.statements.statement import Signed, Subject
from watchword.statements.times import rfc3339

TARGET = "package:pkg:generic/numpy"


def found(paper: Paper) -> tuple[Order, ...]:
    return orders(paper.charter, paper.view(), paper.facts(), paper.now)


def recall(paper: Paper, by: str = "BRAVO", target: str = TARGET, **fields: Any) -> Signed:
    """A recall made two days ago, due yesterday."""
    due = {"age": 2 * DAY, "deadline": rfc3339(paper.now - DAY)}
    leaf = paper.notice("recall", by, target, **due | fields)
    assert leaf.signed is not None
    return leaf.signed


def answers(paper: Paper, by: str, to: Signed, answer: str, **fields: Any) -> None:
    id = to.statement.id
    paper.say("recall-answer", by, subject=Subject("statement", id), statement=id, answer=answer, **fields)


def states(order: Order) -> list[tuple[str, str, bool]]:
    return [(one.member, one.state, bool(one.late_s)) for one in order.answers]


def test_late_ones_come_first() -> None:
    """Who said nothing, or only yes, a day after the deadline; then who did it too late; then who did it in time."""
    paper = Paper()
    order = recall(paper)
    answers(paper, "ALFA", order, "yes", age=DAY)
    answers(paper, "BRAVO", order, "no")
    answers(paper, "CHARLIE", order, "done", age=timedelta(hours=1), done=rfc3339(paper.now - timedelta(hours=30)))
    answers(paper, "DELTA", order, "done", age=timedelta(hours=1), done=rfc3339(paper.now - timedelta(hours=2)))
    (one,) = found(paper)
    assert states(one) == [
        ("ECHO", "not answered", True), ("ALFA", "yes", True), ("DELTA", "done", True), ("CHARLIE", "done", False),
        ("BRAVO", "no", False),
    ]  # fmt: skip
    assert [row.member for row in one.late] == ["ECHO", "ALFA"]
    assert one.waits_for("ALFA") and not one.waits_for("DELTA")
    assert "2 of 5 settled" not in render([one]) and "3 of 5 settled" in render([one])
    assert "ECHO     not answered, LATE by 24 h" in render([one])


def test_the_newest_answer_counts() -> None:
    """A member that found more later is not held to its first no."""
    paper = Paper()
    order = recall(paper)
    answers(paper, "ALFA", order, "no", age=DAY)
    answers(paper, "ALFA", order, "yes", age=timedelta(hours=1))
    assert ("ALFA", "yes", True) in states(found(paper)[0])


def test_an_alternative_settles_where_the_order_lists_it() -> None:
    """What nobody accepted is still late; the issuer accepts it by a recall that supersedes. Another's does not."""
    paper = Paper()
    order = recall(paper, alternatives=["behind the filter"])
    answers(paper, "ALFA", order, "done", done=rfc3339(paper.now - 2 * DAY), alternative="behind the filter")
    answers(paper, "CHARLIE", order, "done", done=rfc3339(paper.now - 2 * DAY), alternative="switched off at night")
    (one,) = found(paper)
    rows = {row.member: row for row in one.answers}
    assert rows["ALFA"].settled and not rows["CHARLIE"].settled and rows["CHARLIE"].late_s
    assert "NOT ACCEPTED" in rows["CHARLIE"].told()
    recall(paper, by="DELTA", target="model:x", supersedes=order.statement.id, alternatives=["switched off at night"])
    assert not {row.member: row for row in found(paper)[0].answers}["CHARLIE"].settled
    recall(paper, target="model:y", supersedes=order.statement.id, alternatives=["switched off at night"])
    superseded = next(one for one in found(paper) if order.statement.id in one.ids)
    assert {row.member: row for row in superseded.answers}["CHARLIE"].settled
    assert not superseded.owed and not superseded.late


def test_who_confirms_a_recall_gives_the_same_order() -> None:
    """One order with two issuers; an answer to either is an answer."""
    paper = Paper()
    first, second = recall(paper), recall(paper, by="DELTA")
    answers(paper, "ALFA", second, "no")
    (one,) = found(paper)
    assert one.issuers == ("BRAVO", "DELTA")
    assert set(one.ids) == {first.statement.id, second.statement.id}
    assert ("ALFA", "no", False) in states(one)


def test_a_recall_taken_back_is_owed_no_answer() -> None:
    """By as many as the charter asks for; nobody is late on it."""
    paper = Paper()
    order = recall(paper)
    for name in ("ALFA", "CHARLIE", "DELTA"):
        paper.notice("take-back", name, TARGET, notice=order.statement.id)
    (one,) = found(paper)
    assert (one.state, one.owed, one.late) == ("taken-back", False, ())


def test_an_exercise_times_the_last_gate() -> None:
    """From its signature to the last gate that says when it met it; it is marked, and last in the list."""
    paper = Paper()
    played = recall(paper, target=f"exercise:{TARGET}", deadline=None)
    began = paper.now - 2 * DAY
    for name, after_s in (("ALFA", 40), ("CHARLIE", 95)):
        answers(paper, name, played, "yes", closed=rfc3339(began + timedelta(seconds=after_s)))
    recall(paper)
    last = found(paper)[-1]
    assert (last.exercise, last.closed_s, last.what) == (True, 95, TARGET)
    assert render([last]).startswith("EXERCISE")
    assert "from the finding to the last of 2 gates closed: 95 s" in render([last])


@pytest.mark.parametrize(
    ("target", "versions", "hit"),
    [
        (TARGET, [], True),
        (f"exercise:{TARGET}", [], True),
        (TARGET, [{"from": "2.0", "before": "2.3"}], True),
        (TARGET, [{"from": "3.0", "before": None}], False),
        (f"release:{RELEASE.digest}", [], True),
        ("supplier:AQUILA", [], True),
        ("supplier:FALCO", [], False),
    ],
)
def test_what_is_hit_is_reckoned_at_home(target: str, versions: list[Any], hit: bool) -> None:
    """Among the releases that the member itself admitted; those of others are not its own."""
    paper = Paper()
    paper.sound()
    if not any(one.signed.statement.kind == "bill-of-materials" for one in paper.statements):
        paper.say("bill-of-materials", "AQUILA")
    decision = paper.decide()
    paper.say("decision", "ALFA", role="official", decision=decision)
    said = {"target": target, "versions": versions}
    ours = hit_at_home(paper.charter, paper.facts(), said, "ALFA", paper.now)
    assert [one.release for one in ours] == ([RELEASE.digest] if hit else [])
    assert hit_at_home(paper.charter, paper.facts(), said, "BRAVO", paper.now) == ()
