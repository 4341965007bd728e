"""The decision as the protocol's section 8 states it, step by step."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from decisions import DAY, NAMES, RELEASE, TRIAGE, Paper, pack_charter, row
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.view import Facts, Head, View
from watchword.policy.table import ViewFromTheFuture, consider, decide, loose_list, name_set
from watchword.policy.use_case import BadUseCase
from watchword.statements.canonical import canonical
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339


@pytest.fixture
def paper() -> Paper:
    """A release that is admitted for mail triage."""
    paper = Paper()
    paper.sound()
    return paper


def id_of(paper: Paper, number: int) -> str:
    return paper.statements[number].signed.statement.id


def test_a_sound_release_is_admitted(paper: Paper) -> None:
    """Every requirement that applies is met, and the decision names its inputs by digest."""
    decision = paper.decide()
    assert decision["verdict"] == "admitted"
    assert decision["label"] == "witnessed"
    assert [one["state"] for one in decision["requirements"]] == [
        *["met"] * 3, *["does not apply"] * 2, *["met"] * 2, *["does not apply"] * 7,
    ]  # fmt: skip
    assert row(decision, "two-inspections") == {
        "counted": sorted([id_of(paper, 2), id_of(paper, 3)]), "failing": [], "from": ["ALFA", "BRAVO"],
        "id": "two-inspections", "need": 2, "newest_age_s": 86_400, "owed_by": "members", "state": "met", "there": 2,
        "tools": 1, "waived_by": [],
    }  # fmt: skip
    assert decision["charter"] == paper.charter.digest
    assert decision["view"] == DJ(paper.view().value())
    assert decision["use_case"] == DJ(TRIAGE)
    assert decision["loose"] == DJ({"format": "watchword-loose/1", "statements": []})
    assert set(decision) == {
        "as_of", "caveats", "charter", "considered", "format", "label", "loose", "notices", "red_lines", "requirements",
        "stale", "subject", "successors", "unheld", "use_case", "verdict", "view",
    }  # fmt: skip


def test_nothing_said_is_nothing_admitted() -> None:
    """An empty alliance owes everything."""
    decision = Paper().decide(criticality=0)
    assert decision["verdict"] == "refused"
    assert [row(decision, id)["state"] for id in ("supplier-claim", "bill-of-materials", "inspected")] == ["unmet"] * 3


def test_a_charter_that_asks_for_nothing_admits_nothing() -> None:
    """No requirement applies: refused, whatever was said."""
    paper = Paper(pack_charter(requirements=[]))
    paper.sound()
    assert paper.decide()["verdict"] == "refused"
    late = [dict(one, when={"criticality": 2, "human": []}) for one in pack_charter().value["requirements"]]
    paper = Paper(pack_charter(requirements=late))
    paper.sound()
    assert paper.decide()["verdict"] == "refused"


def test_an_alliance_of_one_says_so() -> None:
    """One operator is no witness of itself."""
    paper = Paper(pack_charter(("ALFA",)))
    paper.say("claim", "AQUILA")
    paper.say("bill-of-materials", "AQUILA")
    paper.say("inspection", "ALFA")
    decision = paper.decide(criticality=0)
    assert (decision["verdict"], decision["label"]) == ("admitted", "unwitnessed, own clock")


# -- step 1 ---------------------------------------------------------------------------------------


def test_a_statement_published_twice_counts_where_it_stands_first(paper: Paper) -> None:
    """By origin, then index; and it counts once."""
    import dataclasses

    first = paper.statements[3]
    copy = dataclasses.replace(first, origin=paper.charter.member("ALFA").origins["ledger"], index=7)
    paper.statements.append(copy)
    decision = paper.decide()
    places = [one for one in decision["considered"] if one["id"] == first.signed.statement.id]
    assert places == [{"id": first.signed.statement.id, "index": 7, "origin": "alfa.example/ledger"}]
    assert row(decision, "two-inspections")["there"] == 2


def test_two_names_of_one_operator_are_one() -> None:
    """A hosted member adds no independence."""
    members = pack_charter().value["members"]
    hosted = [dict(one, operator="ALFA") if one["name"] == "BRAVO" else one for one in members]
    paper = Paper(pack_charter(members=hosted))
    paper.sound()
    decision = paper.decide()
    assert decision["verdict"] == "refused"
    assert row(decision, "two-inspections")["there"] == 1
    assert row(decision, "two-inspections")["from"] == ["ALFA", "BRAVO"]


def test_a_supplier_does_not_inspect_itself(paper: Paper) -> None:
    """A row that asks for members does not count a supplier, even one the charter lets speak."""
    standing = pack_charter().value["standing"] | {"inspection": ["evaluator", "supplier"]}
    paper = Paper(pack_charter(standing=standing))
    paper.say("inspection", "AQUILA")
    assert row(paper.decide(), "inspected")["there"] == 0


# -- steps 2 and 3 --------------------------------------------------------------------------------


def test_the_name_set_holds_everything_that_bad_news_can_reach(paper: Paper) -> None:
    """Release, components, base models, data sets, supplier, keys and statements; sorted."""
    considered = consider(paper.charter, paper.view(), paper.facts(), paper.now, RELEASE.digest)
    names = name_set(paper.charter, RELEASE.digest, considered.values())
    assert list(names) == sorted(set(names))
    assert {
        f"release:{RELEASE.digest}", "component:sha256:" + "0a" * 32, "component:pkg:generic/numpy@2.2",
        "package:pkg:generic/numpy",
        "model:mailsort-base", "dataset:sha256:" + "0b" * 32, "dataset:sha256:" + "0d" * 32, "supplier:AQUILA",
        f"statement:{id_of(paper, 0)}", f"key:{paper.statements[0].signed.key_id}",
    } <= set(names)  # fmt: skip
    # Five statements by four keys; a name for each member's caveats, and the charter.
    assert len(names) == 8 + 5 + 4 + 5 + 1


@pytest.mark.parametrize(
    "target",
    [f"release:{RELEASE.digest}", "component:pkg:generic/numpy@2.2", "model:mailsort-base", "supplier:AQUILA",
     "dataset:sha256:" + "0b" * 32],
)  # fmt: skip
@pytest.mark.parametrize("loose", [False, True])
def test_a_recall_of_any_part_refuses(paper: Paper, target: str, loose: bool) -> None:
    """In a ledger or received directly, by one member alone. Fails when notices are not looked up by name."""
    if loose:
        paper.loose.append(paper.bad_news("recall", "ECHO", target))
    else:
        paper.notice("recall", "ECHO", target)
    decision = paper.decide()
    assert decision["verdict"] == "refused"
    assert [(one["kind"], one["name"], one["origin"] is None) for one in decision["notices"]] == [
        ("recall", target, loose)
    ]
    assert {"id": "recalled", "state": "crossed"} in decision["red_lines"]


def test_a_recall_of_something_else_changes_nothing(paper: Paper) -> None:
    """Neither a notice against another release nor a loose one reaches this decision."""
    paper.notice("recall", "ECHO", "release:sha256:" + "77" * 32)
    paper.loose.append(paper.bad_news("recall", "ECHO", "model:another"))
    decision = paper.decide()
    assert (decision["verdict"], decision["notices"]) == ("admitted", [])
    assert decision["loose"] == DJ(loose_list(paper.facts()))


def test_a_notice_that_nobody_here_can_read_refuses(paper: Paper) -> None:
    """A leaf under one of the names without its body counts as the worst it could be."""
    paper.notice("dispute", "ECHO", f"release:{RELEASE.digest}", held=False)
    decision = paper.decide()
    assert decision["verdict"] == "refused"
    assert decision["notices"][0] | {"origin": "", "name": ""} == {
        "index": 0, "kind": "unheld", "name": "", "origin": "", "statement": None,
    }  # fmt: skip


def test_a_notice_without_standing_is_listed_and_changes_nothing(paper: Paper) -> None:
    """Shown, because it is there; not believed."""
    paper.notice("recall", "ECHO", f"release:{RELEASE.digest}", standing=False)
    decision = paper.decide()
    assert decision["verdict"] == "admitted"
    assert [one["kind"] for one in decision["notices"]] == ["no-standing"]


def test_a_bad_copy_in_a_ledger_does_not_hide_a_recall_received_directly(paper: Paper) -> None:
    """A member that files a recall's body with a broken signature does not silence the recall itself."""
    target = f"release:{RELEASE.digest}"
    leaf = paper.notice("recall", "ECHO", target, standing=False)
    assert leaf.signed is not None
    paper.loose.append(leaf.signed)
    decision = paper.decide()
    assert [one["kind"] for one in decision["notices"]] == ["recall", "no-standing"]
    assert decision["verdict"] == "refused"


def test_a_notice_in_both_places_is_listed_once(paper: Paper) -> None:
    """The loose copy adds nothing to the one in the view, and is still among the loose notices named."""
    leaf = paper.notice("recall", "ECHO", "supplier:AQUILA")
    assert leaf.signed is not None
    paper.loose.append(leaf.signed)
    decision = paper.decide()
    assert [one["index"] for one in decision["notices"]] == [0]
    assert decision["loose"] == DJ({"format": "watchword-loose/1", "statements": [leaf.signed.statement.id]})


def test_a_notice_past_the_head_is_not_in_the_view(paper: Paper) -> None:
    """What a view does not hold cannot be in its decision, in either polarity."""
    view = paper.view()
    paper.notice("recall", "ECHO", "supplier:AQUILA")
    paper.say("inspection", "DELTA")
    decision = decide(paper.charter, view, paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE)
    assert (decision["notices"], len(decision["considered"])) == ([], 5)


@pytest.mark.parametrize("kind", ["retract", "dispute"])
def test_who_may_fell_a_statement(paper: Paper, kind: str) -> None:
    """A dispute is anybody's with standing; a retraction only the issuer's. Fails without that second rule."""
    paper.notice(kind, "ALFA", f"statement:{id_of(paper, 3)}")  # BRAVO's inspection
    decision = paper.decide()
    if kind == "dispute":
        assert row(decision, "inspected")["failing"] == [{"id": id_of(paper, 3), "why": "disputed"}]
        assert decision["verdict"] == "refused"
    else:
        assert [one["kind"] for one in decision["notices"]] == ["no-standing"]
        assert decision["verdict"] == "admitted"


def test_the_first_reason_to_fall_is_named(paper: Paper) -> None:
    """Retracted before disputed before unheld before key revoked."""
    name = f"statement:{id_of(paper, 3)}"
    reasons = []
    for step in ("revoke", "unheld", "dispute", "retract"):
        if step == "revoke":
            paper.notice("revoke", "BRAVO", f"key:{paper.statements[3].signed.key_id}")
        else:
            paper.notice("dispute" if step == "unheld" else step, "BRAVO", name, held=step != "unheld")
        reasons.append(row(paper.decide(), "inspected")["failing"][0]["why"])
    assert reasons == ["key revoked", "unheld", "disputed", "retracted"]


def test_a_revoked_key_takes_its_statements_along_but_for_those_listed(paper: Paper) -> None:
    """A revocation spares what stands before the sizes it names, by ledger; another owner's root revokes nothing."""
    key_name = f"key:{paper.statements[3].signed.key_id}"
    spared = [{"origin": "bravo.example/ledger", "size": 1}]
    elsewhere = [{"origin": "alfa.example/ledger", "size": 99}, {"origin": "bravo.example/ledger", "size": 0}]
    for listed, fell in ([], True), (elsewhere, True), (elsewhere + spared, False):
        paper.leaves.clear()
        paper.notice("revoke", "BRAVO", key_name, valid_up_to=listed)
        assert bool(row(paper.decide(), "inspected")["failing"]) is fell
    paper.leaves.clear()
    paper.notice("revoke", "ALFA", key_name)
    decision = paper.decide()
    assert [one["kind"] for one in decision["notices"]] == ["no-standing"]
    assert decision["verdict"] == "admitted"


def test_a_notice_whose_subject_is_not_its_target_is_not_believed(paper: Paper) -> None:
    """What was signed as the subject and what is said as the target are one thing."""
    paper.loose.append(paper.signed("recall", "ECHO", subject=RELEASE, target="supplier:AQUILA"))
    assert paper.decide()["notices"] == []


# -- step 4 ---------------------------------------------------------------------------------------


def test_evidence_grows_old(paper: Paper) -> None:
    """To the second: 90 days count, one second more does not, and the row says how old the newest is."""
    for more, there in (timedelta(0), 2), (timedelta(seconds=1), 1):
        paper = Paper()
        paper.say("inspection", "ALFA", age=90 * DAY + more)
        paper.say("inspection", "BRAVO")
        assert row(paper.decide(), "two-inspections")["there"] == there
    paper = Paper()
    paper.say("inspection", "ALFA", age=91 * DAY)
    judged = row(paper.decide(), "two-inspections")
    assert (judged["there"], judged["newest_age_s"], judged["failing"]) == (0, 91 * 86_400, [])


def test_one_bad_run_among_many_good_ones_decides(paper: Paper) -> None:
    """The worst accepted run wins: two good inspections do not outvote one that found something."""
    paper.say("inspection", "DELTA", verdict="suspicious", suspicious=1)
    judged = row(paper.decide(), "two-inspections")
    assert (judged["state"], judged["there"], judged["failing"][0]["why"]) == ("unmet", 2, "bound")


def test_a_row_is_about_what_its_filter_says() -> None:
    """A human-factors review is no failing legal review."""
    paper = Paper()
    paper.say("review", "ALFA", of="human-factors", outcome="with limits")
    decision = paper.decide(criticality=3)
    assert row(decision, "legal-review")["there"] == 0 and row(decision, "legal-review")["failing"] == []
    assert row(decision, "human-factors-review")["state"] == "met"


def test_different_tools_are_counted() -> None:
    """Three operators with one tool share its blind spot."""
    paper = Paper()
    for name in ("ALFA", "BRAVO", "CHARLIE"):
        paper.say("inspection", name)
    judged = row(paper.decide(criticality=3), "three-inspections")
    assert (judged["state"], judged["there"], judged["tools"]) == ("unmet", 3, 1)
    paper.say("inspection", "DELTA", tool={"name": "another", "version": "1", "rules": ""})
    assert row(paper.decide(criticality=3), "three-inspections")["state"] == "met"


def test_an_interval_is_judged_by_its_upper_end() -> None:
    """``0.05`` passes a bound of ``0.05``; ``0.0500001`` does not."""
    for high, state in ("0.05", "met"), ("0.0500001", "unmet"):
        paper = Paper()
        paper.say("evaluation", "ALFA", high=high)
        paper.say("evaluation", "BRAVO", high="0.010")
        assert row(paper.decide(criticality=3), "two-evaluations")["state"] == state


# -- steps 5 to 7 ---------------------------------------------------------------------------------


def test_red_lines_are_crossed_by_facts_and_by_the_use(paper: Paper) -> None:
    """Hidden code, a review against, and a lone machine at criticality 3."""
    states = {line["id"]: line["state"] for line in paper.decide(criticality=3, human="out")["red_lines"]}
    assert states == {
        "hidden-code": "clear", "recalled": "clear", "no-lone-machine": "crossed", "reviewed-against": "clear",
        "measured-evasion": "clear", "endpoint-capped": "clear", "disputed": "clear",
    }  # fmt: skip
    paper.say("inspection", "DELTA", verdict="dangerous", dangerous=1)
    paper.say("review", "ALFA", of="red-team", outcome="against")
    states = {line["id"]: line["state"] for line in paper.decide()["red_lines"]}
    assert (states["hidden-code"], states["reviewed-against"]) == ("crossed", "crossed")


def test_a_system_behind_an_api_is_capped_and_stopped_by_a_changed_answer(paper: Paper) -> None:
    """Criticality 2 is past it, and 3 is while its endpoint statement is disputed; taking that back lifts neither."""
    pinned = paper.say("endpoint", "ALFA").signed.statement.id

    def crossed(criticality: int) -> set[str]:
        lines = paper.decide(criticality=criticality)["red_lines"]
        return {line["id"] for line in lines if line["state"] == "crossed"} & {"endpoint-capped", "disputed"}

    assert [crossed(n) for n in (1, 2, 3)] == [set(), {"endpoint-capped"}, {"endpoint-capped"}]
    paper.notice("dispute", "BRAVO", f"statement:{pinned}")
    paper.notice("retract", "ALFA", f"statement:{pinned}")
    assert [crossed(n) for n in (1, 2, 3)] == [set(), {"endpoint-capped"}, {"endpoint-capped", "disputed"}]


@pytest.mark.parametrize("forbid", [
    {"field": "criticalty", "op": "==", "value": 3},
    {"field": "human", "op": "<", "value": "on"},
    {"field": "criticality", "op": ">", "value": "2"},
])  # fmt: skip
def test_a_red_line_in_trouble_is_crossed(forbid: dict[str, Any]) -> None:
    """A misspelt field closes rather than opens. Fails when trouble counts as false there."""
    line = {"id": "typo", "text": "", "forbid": [forbid], "accountable": "official", "principle": [], "evidence": None,
            "serves": []}
    paper = Paper(pack_charter(red_lines=[line]))
    paper.sound()
    decision = paper.decide()
    assert (decision["verdict"], decision["red_lines"]) == ("refused", [{"id": "typo", "state": "crossed"}])


def test_a_stale_ledger_refuses(paper: Paper) -> None:
    """One member's notices not seen for a day and a second: nobody knows what they hold."""
    origin = "echo.example/notices"
    paper.head_age[origin] = DAY
    assert paper.decide()["verdict"] == "admitted"
    paper.head_age[origin] = DAY + timedelta(seconds=1)
    decision = paper.decide()
    assert (decision["verdict"], decision["stale"]) == ("refused", [origin])


def test_a_ledger_missing_from_the_view_is_stale(paper: Paper) -> None:
    """An absent head is as old as can be."""
    heads = dict(paper.view().heads)
    del heads["echo.example/notices"]
    decision = decide(paper.charter, View(heads), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE)
    assert (decision["verdict"], decision["stale"]) == ("refused", ["echo.example/notices"])


def test_a_view_from_the_future_makes_no_decision(paper: Paper) -> None:
    """Five minutes of clock difference are allowed, not more. Fails without the check."""
    paper.head_age["alfa.example/ledger"] = timedelta(seconds=-300)
    assert paper.decide()["verdict"] == "admitted"
    paper.head_age["alfa.example/ledger"] = timedelta(seconds=-301)
    with pytest.raises(ViewFromTheFuture, match=r"alfa\.example/ledger"):
        paper.decide()


def test_the_last_moment_there_is_gets_a_decision(paper: Paper) -> None:
    """At the end of the year 9999 every head is old: refused, and no error of the clock's arithmetic."""
    decision = decide(paper.charter, paper.view(), paper.facts(), "9999-12-31T23:59:59Z", RELEASE, TRIAGE)
    assert (decision["verdict"], len(decision["stale"])) == ("refused", len(paper.charter.shared_origins))


def test_a_malformed_use_case_makes_no_decision(paper: Paper) -> None:
    """Criticality 4 is not "at least 3"."""
    with pytest.raises(BadUseCase, match="criticality"):
        paper.decide(criticality=4)


# -- the same inputs, the same bytes --------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_in_which_facts_arrive_changes_no_byte(seed: int) -> None:
    """Any permutation of statements, notices, loose notices and heads gives the same decision."""
    paper = Paper()
    paper.sound()
    paper.say("inspection", "DELTA", verdict="unreadable", unreadable=2)
    for name in NAMES:
        paper.notice("recall", name, "supplier:AQUILA")
        paper.loose.append(paper.bad_news("dispute", name, f"statement:{id_of(paper, 2)}"))
    expected = canonical(paper.decide())
    facts, shuffle = paper.facts(), random.Random(seed)
    lists: list[list[Any]] = [list(facts.statements), list(facts.notices)]
    lists.append(list(facts.loose))
    heads: list[tuple[str, Head]] = list(paper.view().heads.items())
    for one in [*lists, heads]:
        shuffle.shuffle(one)
    mixed = Facts(tuple(lists[0]), tuple(lists[1]), tuple(lists[2]), facts.secret)
    again = decide(paper.charter, View(dict(heads)), mixed, rfc3339(paper.now), RELEASE, dict(reversed(TRIAGE.items())))
    assert canonical(again) == expected


def test_another_subject_is_another_decision(paper: Paper) -> None:
    """Evidence about one release says nothing of the next."""
    other = Subject("mailsort 1.1", "sha256:" + "9d" * 32)
    decision = decide(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), other, TRIAGE)
    assert (decision["verdict"], decision["considered"]) == ("refused", [])
