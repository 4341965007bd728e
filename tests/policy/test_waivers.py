"""Waivers lift a requirement, never a red line or a caveat; reliance takes over another's evidence within limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from decisions import DAY, TRIAGE, Paper, pack_charter, row

from watchword.statements.digests import DJ
from watchword.statements.times import rfc3339

USE = DJ(TRIAGE)
BAD: dict[str, Any] = {"changed_labels": 3}


def waivable(count: int = 2, **changes: Any) -> Paper:
    """The data are not accounted for; so many officials may waive that."""
    rows = [
        one | changes | {"waiver": {"count": count, "role": "official"}} if one["id"] == "data-accounted" else one
        for one in pack_charter().value["requirements"]
    ]
    paper = Paper(pack_charter(requirements=rows))
    paper.sound()
    paper.statements.pop()
    assert paper.decide()["verdict"] == "refused"
    return paper


def waive(paper: Paper, *names: str, **how: Any) -> None:
    for name in names:
        paper.say("waiver", name, **{"use_case": USE} | how)


def test_enough_officials_waive_a_requirement_and_all_can_see_it() -> None:
    """Two distinct operators; the row says waived and by which statements, and the release is admitted."""
    paper = waivable()
    waive(paper, "ALFA")
    assert row(paper.decide(), "data-accounted")["state"] == "unmet"
    waive(paper, "BRAVO")
    decision = paper.decide()
    judged = row(decision, "data-accounted")
    assert (decision["verdict"], judged["state"], judged["there"]) == ("admitted", "waived", 0)
    assert judged["waived_by"] == sorted(one.signed.statement.id for one in paper.statements[-2:])
    assert set(judged["waived_by"]) <= {one["id"] for one in decision["considered"]}


@pytest.mark.parametrize(
    "how",
    [
        {"requirement": "two-inspections"}, {"use_case": DJ(TRIAGE | {"purpose": "x"})}, {"scope": "own"},
        {"expires": "2026-01-31T11:59:59Z"}, {"role": "evaluator"}, {"role": "root"},
    ],
)  # fmt: skip
def test_a_waiver_that_does_not_fit_waives_nothing(how: dict[str, Any]) -> None:
    """For another row or use, kept to itself, expired, or by somebody without the role. Fails without each check."""
    paper = waivable()
    waive(paper, "ALFA")
    paper.say("waiver", "BRAVO", **{"use_case": USE} | how)
    assert paper.decide()["verdict"] == "refused"


def test_one_member_s_second_person_is_no_second_operator() -> None:
    """Distinct operators are counted, not statements."""
    paper = waivable()
    waive(paper, "ALFA", "ALFA", reason="again")
    assert paper.decide()["verdict"] == "refused"


@pytest.mark.parametrize("kind", ["retract", "dispute", "revoke"])
def test_a_waiver_that_fell_waives_nothing(kind: str) -> None:
    """Good news falls as evidence does."""
    paper = waivable()
    waive(paper, "ALFA", "BRAVO")
    one = paper.statements[-1].signed
    target = f"key:{one.key_id}" if kind == "revoke" else f"statement:{one.statement.id}"
    role = {"retract": "official", "dispute": None, "revoke": None}[kind]
    paper.loose.append(paper.bad_news(kind, "BRAVO" if kind != "dispute" else "ECHO", target, role=role))
    assert paper.decide()["verdict"] == "refused"


def test_a_waiver_reaches_what_is_known_and_not_what_comes_after() -> None:
    """A bad screening older than the waivers is waived; a newer one is not, nor one that is kept back.

    Fails when the times are not compared, or what is unheld is waived.
    """
    paper = waivable()
    paper.say("data-screening", "CHARLIE", age=3 * DAY, **BAD)
    waive(paper, "ALFA", "BRAVO", age=2 * DAY)
    assert row(paper.decide(), "data-accounted")["state"] == "waived"
    leaf = paper.keep_back("data-screening", "DELTA")
    assert row(paper.decide(), "data-accounted")["state"] == "unmet"
    paper.unheld.remove(leaf)
    paper.say("data-screening", "DELTA", age=DAY, **BAD)
    assert row(paper.decide(), "data-accounted")["state"] == "unmet"


def test_a_row_without_a_waiver_is_not_waived() -> None:
    """The table says what may be waived; officials do not. Fails when a missing rule is taken for any."""
    rows = [one | {"waiver": None} for one in pack_charter().value["requirements"]]
    paper = Paper(pack_charter(requirements=rows))
    paper.sound()
    paper.statements.pop()
    waive(paper, "ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
    assert paper.decide()["verdict"] == "refused"


def test_no_waiver_lifts_a_red_line_or_a_caveat() -> None:
    """There is no such path: a waiver names a requirement, and a red line's id is none."""
    paper = waivable()
    waive(paper, "ALFA", "BRAVO")
    for id in ("hidden-code", "ours"):
        waive(paper, "ALFA", "BRAVO", "CHARLIE", requirement=id)
    assert paper.decide()["verdict"] == "admitted"
    paper.caveat("DELTA", {"field": "criticality", "op": ">", "value": 0})
    assert paper.decide()["verdict"] == "refused"
    paper = waivable()
    waive(paper, "ALFA", "BRAVO")
    waive(paper, "ALFA", "BRAVO", "CHARLIE", requirement="hidden-code")
    paper.say("inspection", "DELTA", dangerous=1)
    assert {"id": "hidden-code", "state": "crossed"} in paper.decide()["red_lines"]


def test_where_everything_is_waived_nothing_is_admitted() -> None:
    """One requirement at least is met by evidence. Fails when waived counts as met."""
    rows = [one | {"waiver": {"count": 1, "role": "official"}} for one in pack_charter().value["requirements"][:3]]
    paper = Paper(pack_charter(requirements=rows))
    for one in rows:
        waive(paper, "ALFA", requirement=one["id"])
    assert [one["state"] for one in paper.decide()["requirements"]] == ["waived"] * 3
    assert paper.decide()["verdict"] == "refused"
    paper.say("claim", "AQUILA")
    assert paper.decide()["verdict"] == "admitted"


# -- reliance ---------------------------------------------------------------------------------------


def owned(**changes: Any) -> Paper:
    """A table with one row: an inspection that the use's owner (ALFA) made or relies on."""
    like = next(one for one in pack_charter().value["requirements"] if one["id"] == "inspected")
    paper = Paper(pack_charter(requirements=[like | {"from": "owner"} | changes]))
    return paper


def rely(paper: Paper, on: Any, by: str = "ALFA", how: dict[str, Any] | None = None, **limits: Any) -> Any:
    within = {"criticality_max": 3, "until": rfc3339(paper.now + DAY), "tags": [], "members": []} | limits
    return paper.say("reliance", by, statement=on.signed.statement.id, limits=within, **how or {})


def test_an_owner_s_own_evidence_or_what_it_relies_on_counts_and_nothing_else() -> None:
    """BRAVO's inspection counts for ALFA's use once ALFA relies on it; CHARLIE's relying does not matter."""
    paper = owned()
    of = paper.say("inspection", "BRAVO")
    assert row(paper.decide(), "inspected")["failing"] == []
    rely(paper, of, "CHARLIE")
    assert paper.decide()["verdict"] == "refused"
    rely(paper, of)
    assert (paper.decide()["verdict"], row(paper.decide(), "inspected")["from"]) == ("admitted", ["BRAVO"])
    paper = owned()
    paper.say("inspection", "ALFA")
    assert paper.decide()["verdict"] == "admitted"
    assert paper.decide(owner="BRAVO")["verdict"] == "refused"


@pytest.mark.parametrize(
    "limits",
    [
        {"criticality_max": 0}, {"until": "2026-01-31T11:59:59Z"}, {"tags": ["field"]}, {"members": ["ALFA"]},
        {"how": {"scope": "own"}},
    ],
)  # fmt: skip
def test_outside_its_limits_a_reliance_is_none(limits: dict[str, Any]) -> None:
    """Criticality, time, tags and members; each is looked at. And a reliance that others cannot see is none."""
    paper = owned()
    of = paper.say("inspection", "BRAVO")
    rely(paper, of, **limits)
    assert row(paper.decide(), "inspected")["state"] == "unmet"
    assert row(paper.decide(), "inspected")["failing"] == []
    rely(paper, of, tags=["office", "field"], members=["ALFA", "BRAVO", "ECHO"], criticality_max=1)
    assert paper.decide()["verdict"] == "admitted"


@pytest.mark.parametrize("fell", ["the evidence", "the reliance"])
def test_what_falls_under_a_reliance_makes_the_row_fail(fell: str) -> None:
    """Taken back by its issuer, or the reliance by the owner: failing, though the owner has evidence of its own."""
    paper = owned()
    of = paper.say("inspection", "BRAVO")
    by = rely(paper, of)
    paper.say("inspection", "ALFA")
    assert paper.decide()["verdict"] == "admitted"
    target, who, role = (of, "BRAVO", None) if fell == "the evidence" else (by, "ALFA", "official")
    paper.notice("retract", who, f"statement:{target.signed.statement.id}", role=role)
    why = "retracted" if fell == "the evidence" else "reliance fell"
    assert row(paper.decide(), "inspected")["failing"] == [{"id": of.signed.statement.id, "why": why}]
    assert paper.decide()["verdict"] == "refused"


def test_a_reliance_that_is_kept_back_counts_as_failing() -> None:
    """Whoever withholds what it relied on hides which evidence was meant. Fails when only the row kind is asked for."""
    paper = owned()
    paper.say("inspection", "ALFA")
    paper.keep_back("reliance", "ALFA")
    assert row(paper.decide(), "inspected")["state"] == "unmet"


# -- red lines over evidence ------------------------------------------------------------------------


def test_a_measured_rate_crosses_a_red_line_however_it_falls_afterwards() -> None:
    """An evaluation above the line crosses it: retracted, old, kept back or with the field in trouble, all the same."""
    line = {
        "id": "evaded", "text": "", "forbid": [], "accountable": "official", "principle": [], "serves": [],
        "evidence": {"kind": "evaluation", "where": [{"field": "high", "op": ">", "value": "0.20"}]},
    }  # fmt: skip
    paper = Paper(pack_charter(red_lines=[line]))
    paper.sound()
    paper.say("evaluation", "ALFA", high="0.19")
    assert paper.decide()["red_lines"] == [{"id": "evaded", "state": "clear"}]
    run = paper.say("evaluation", "DELTA", high="0.21", age=timedelta(days=900))
    assert paper.decide()["red_lines"] == [{"id": "evaded", "state": "crossed"}]
    paper.notice("retract", "DELTA", f"statement:{run.signed.statement.id}")
    assert paper.decide()["red_lines"] == [{"id": "evaded", "state": "crossed"}]
    paper.purge(run)
    assert paper.decide()["red_lines"] == [{"id": "evaded", "state": "crossed"}]
