"""Endpoints: judged by what a system behind an API can show, and by nothing that calls itself one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from decisions import DAY, ENDPOINT, RELEASE, TRIAGE, Paper, row

from watchword.policy.admission import Admission, admit
from watchword.policy.explain import render_text
from watchword.statements.statement import Signed
from watchword.statements.times import rfc3339

OFFICE: dict[str, Any] = {"criticality": 0}


@pytest.fixture
def paper() -> Paper:
    """An endpoint of which ALFA, the owner of the use, has asked everything that mail triage needs."""
    paper = Paper(release=ENDPOINT)
    paper.sound()
    return paper


def admitted(paper: Paper, **use_case: Any) -> Admission:
    """By table and engine."""
    return admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), paper.release, TRIAGE | use_case)


def test_an_endpoint_is_admitted_on_what_an_endpoint_can_show(paper: Paper) -> None:
    """No inspection, no list of parts: the canaries, the owner's word and two members' attacks take their place."""
    made = admitted(paper)
    states = {one["id"]: one["state"] for one in made.decision["requirements"]}
    assert made.admitted
    assert {id for id, state in states.items() if state == "met"} == {
        "supplier-claim", "endpoint-asked", "endpoint-owner", "endpoint-replicated",
    }  # fmt: skip
    assert {states[id] for id in ("bill-of-materials", "inspected", "two-inspections", "data-accounted")} == {
        "does not apply"
    }


def test_files_are_judged_as_before() -> None:
    """What an endpoint shows does not stand for a search of files, and the rows of endpoints ask nothing of files."""
    paper = Paper()
    paper.sound()
    decision = paper.decide()
    assert decision["verdict"] == "admitted"
    assert row(decision, "endpoint-asked")["state"] == "does not apply"
    paper.statements = [fact for fact in paper.statements if fact.signed.statement.kind != "inspection"]
    assert row(paper.decide(), "inspected")["state"] == "unmet"


def test_files_that_are_called_an_endpoint_stay_files() -> None:
    """A member that may say so says of files that they are an endpoint: they are asked for a search all the same.

    Fails when the statement is believed for who says it, not for the digest that its fields make.
    """
    paper = Paper()
    paper.say("claim", "AQUILA")
    paper.say("endpoint", "ALFA")
    paper.say("evaluation", "ALFA")
    paper.say("evaluation", "BRAVO")
    assert paper.release == RELEASE
    made = admitted(paper, **OFFICE)
    assert made.decision["verdict"] == "refused"
    assert row(made.decision, "inspected")["state"] == "unmet"
    assert row(made.decision, "endpoint-asked")["state"] == "does not apply"


def test_an_endpoint_of_which_nobody_spoke_owes_what_files_owe() -> None:
    """Before its canaries are in the view nobody knows that it is one, and nothing is asked less of it."""
    paper = Paper(release=ENDPOINT)
    paper.say("claim", "AQUILA")
    decision = paper.decide(**OFFICE)
    assert row(decision, "inspected")["state"] == "unmet" and decision["verdict"] == "refused"


@pytest.mark.parametrize("kind", ["retract", "dispute"])
def test_a_changed_answer_fells_the_row_and_does_not_make_it_files(paper: Paper, kind: str) -> None:
    """The disputed or retracted endpoint statement fails; what it showed of the digest stays shown."""
    target = f"statement:{paper.statements[1].signed.statement.id}"
    paper.notice(kind, "ALFA", target, role="evaluator")
    decision = admitted(paper).decision
    assert decision["verdict"] == "refused"
    assert row(decision, "endpoint-asked")["failing"] and row(decision, "endpoint-owner")["failing"]
    assert row(decision, "inspected")["state"] == "does not apply"


def test_canaries_grow_old(paper: Paper) -> None:
    """Who last asked a month and a day ago does not know how it answers today."""
    paper.now += 32 * DAY
    decision = paper.decide(**OFFICE)
    assert row(decision, "endpoint-asked")["state"] == "unmet"
    paper.say("endpoint", "BRAVO", age=timedelta(hours=2))
    assert row(paper.decide(**OFFICE), "endpoint-asked")["state"] == "met"


def test_the_owner_answers_for_it_by_asking_or_by_name(paper: Paper) -> None:
    """Another member's canaries count for the owner only where it relies on them, within limits that hold."""
    decision = paper.decide(owner="BRAVO")
    assert row(decision, "endpoint-owner")["state"] == "unmet"
    of = paper.statements[1].signed.statement.id
    limits = {"criticality_max": 0, "until": rfc3339(paper.now + DAY), "tags": [], "members": []}
    paper.say("reliance", "BRAVO", statement=of, limits=limits)
    assert row(paper.decide(owner="BRAVO"), "endpoint-owner")["state"] == "unmet"
    assert row(paper.decide(owner="BRAVO", **OFFICE), "endpoint-owner")["state"] == "met"


def test_a_use_that_no_member_owns_is_told_so(paper: Paper) -> None:
    """Nobody can say what the owner is to say where the owner is no member; no evidence is promised to help."""
    made = admitted(paper, owner="ALFA mail service")
    [row] = [one for one in made.explanation["requirements"] if one["id"] == "endpoint-owner"]
    assert row["owed_by"] == "the owner of the use: a member, which ALFA mail service is not"
    [stays] = made.explanation["missing"]["unlifted"]
    assert (stays["id"], stays["by"]) == ("endpoint-owner", "a use of a member's")


def test_harm_to_people_is_out_of_reach(paper: Paper) -> None:
    """The red line caps it whatever is shown, and no evidence is promised to lift that."""
    made = admitted(paper, criticality=2)
    assert {line["id"] for line in made.decision["red_lines"] if line["state"] == "crossed"} == {"endpoint-capped"}
    assert made.explanation["missing"]["admits"] is False


def test_what_an_endpoint_lacks_is_what_would_admit_it() -> None:
    """The explanation asks for canaries, reliance and attacks, never for an inspection; with those it is admitted."""
    paper = Paper(release=ENDPOINT)
    paper.say("endpoint", "BRAVO")
    made = admitted(paper)
    missing = made.explanation["missing"]
    asked = {one["kind"]: one["by"] for one in missing["evidence"]}
    assert missing["admits"] and set(asked) == {"claim", "endpoint", "evaluation"}
    assert asked["endpoint"] == ["ALFA"]
    text = render_text(made.explanation)
    assert "inspection" not in text.split("\n\n")[0] and "endpoint-owner" in text


def test_a_caveat_may_still_speak_of_endpoints(paper: Paper) -> None:
    """A member that wants none of them says so, as before."""
    said: Signed = paper.caveat("ECHO", {"field": "endpoint", "op": ">", "value": 0})
    decision = admitted(paper).decision
    assert decision["verdict"] == "refused"
    assert [one["statement"] for one in decision["caveats"]] == [said.statement.id]
