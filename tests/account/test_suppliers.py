"""What records say of a supplier: every number stands on statements, and what nobody recorded is unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from decisions import DAY, Paper

from watchword.account.suppliers import Supplier, suppliers
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339

OLD, NEW = Subject("mailsort 1.0", "sha256:" + "9c" * 32), Subject("mailsort 1.1", "sha256:" + "9d" * 32)
TESTED = {
    "by": "AQUILA", "method": "renamed files", "metric": "attack-success-rate", "n": 200, "k": 2, "bound": "at most",
    "value": "0.02",
}  # fmt: skip


def of(paper: Paper, **how: Any) -> Supplier:
    (one,) = suppliers(paper.charter, paper.view(), paper.facts(), paper.now, ["AQUILA"], **how)
    return one


def test_what_nobody_recorded_is_unknown() -> None:
    """No claim, no run, no inspection: null in JSON, the word in text, and never a nought."""
    nothing = of(Paper())
    value = nothing.value()
    assert [value[name] for name in ("claims_rerun", "disputed", "median_days_to_fix", "lapsed_support")] == [None] * 4
    assert "\n".join(nothing.lines()).count("unknown") >= 5


def test_claims_count_as_re_run_when_another_ran_them() -> None:
    """One of two tests was run by somebody else, and contradicted; a run of its own is none."""
    paper = Paper()
    paper.say("claim", "AQUILA", tested=[TESTED, TESTED | {"method": "another"}])
    assert of(paper).rerun.told() == "0 of 2"
    paper.say("evaluation", "BRAVO", low="0.03", high="0.2")
    one = of(paper)
    assert (one.rerun.k, one.rerun.n, one.contradicted.k) == (1, 2, 1)


def test_a_dispute_is_told_with_its_interval() -> None:
    """One of one disputed says little, and the interval shows it; a dispute taken back does not count."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA")
    target = f"statement:{claim.signed.statement.id}"
    paper.loose.append(paper.bad_news("dispute", "ECHO", target))
    assert of(paper).disputed.told(with_interval=True) == "1 of 1 (0.025 to 1), too few to tell"
    dispute = paper.loose[0].statement.id
    for name in ("ALFA", "BRAVO", "CHARLIE"):
        paper.notice("take-back", name, target, notice=dispute)
    assert of(paper).disputed.k == 0


def test_days_to_fix_and_what_is_overdue() -> None:
    """A recall ten days old that a release four days old fixed; one that is open past its deadline."""
    paper = Paper()
    paper.say("claim", "AQUILA", subject=OLD, age=20 * DAY)
    paper.notice("recall", "BRAVO", f"release:{OLD.digest}", age=10 * DAY, deadline=rfc3339(paper.now - DAY))
    open_ = of(paper)
    assert [(one.days, one.overdue) for one in open_.fixes] == [(None, True)]
    assert any("OVERDUE" in line for line in open_.lines())
    paper.say("claim", "AQUILA", subject=NEW, age=4 * DAY, release="1.1")
    fixed = of(paper)
    assert [(one.days, one.overdue) for one in fixed.fixes] == [(6, False)]
    assert fixed.days_to_fix == 6.0
    paper.notice("recall", "BRAVO", "supplier:AQUILA", age=2 * DAY)
    assert sorted(str(one.days) for one in of(paper).fixes) == ["6", "None", "None"]


def test_an_exercise_is_no_record_of_a_supplier() -> None:
    """Playing the recall of its release counts for nothing."""
    paper = Paper()
    paper.say("claim", "AQUILA")
    paper.notice("recall", "BRAVO", f"exercise:release:{paper.release.digest}", deadline=rfc3339(paper.now - DAY))
    assert of(paper).fixes == ()


def test_support_lapses_by_the_newest_claim() -> None:
    """A claim that prolongs it counts; one without a date is told apart."""
    paper = Paper()
    paper.say("claim", "AQUILA", subject=OLD, age=3 * DAY, support_until=rfc3339(paper.now - DAY))
    paper.say("claim", "AQUILA", subject=NEW, age=3 * DAY)
    assert (of(paper).lapsed.told(), of(paper).undated) == ("1 of 1", 1)
    paper.say("claim", "AQUILA", subject=OLD, age=timedelta(hours=1), support_until=rfc3339(paper.now + DAY))
    assert of(paper).lapsed.told() == "0 of 1"


def test_a_reply_stands_beside() -> None:
    """The supplier's own words to a dispute of its claim; those of another are not its reply."""
    paper = Paper()
    claim = paper.say("claim", "AQUILA")
    dispute = paper.notice("dispute", "ECHO", f"statement:{claim.signed.statement.id}")
    assert dispute.signed is not None
    id = dispute.signed.statement.id
    for issuer, role in (("AQUILA", "supplier"), ("BRAVO", "official")):
        paper.say("reply", issuer, role=role, subject=Subject("statement", id), statement=id)
    assert [(one.what, one.text) for one in of(paper).replies] == [("dispute by ECHO", "it is fixed")]


def test_only_what_was_published_is_public() -> None:
    """Whoever made a record opts in by its scope; the others are not in the public form."""
    paper = Paper()
    paper.say("claim", "AQUILA", scope="public", tested=[TESTED])
    paper.say("evaluation", "BRAVO", low="0.03", high="0.2")
    assert (of(paper).rerun.k, of(paper, public=True).rerun.k) == (1, 0)
    paper.say("evaluation", "CHARLIE", low="0.03", high="0.2", scope="public")
    assert of(paper, public=True).rerun.k == 1
