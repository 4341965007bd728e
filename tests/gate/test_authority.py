"""What a mandate rests on, taken away piece by piece."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alliance import RELEASE, ratification_by
from gate.gated import Gated

from watchword.charter.charter import parse_charter
from watchword.charter.draft import successor
from watchword.gate.authority import Known, against, against_view
from watchword.ledger.view import Fact
from watchword.statements.keys import load_key
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339

OTHER = "sha256:" + "77" * 32


def known(here: Gated) -> Known:
    return here.gate._knowledge.known()


def without(one: Known, *, facts: tuple[Fact, ...]) -> Known:
    return Known(one.charter, one.view, replace(one.facts, statements=facts), one.stops)


def test_a_sound_mandate_has_nothing_against_it(here: Gated) -> None:
    """The ground of every test below."""
    ground = known(here).ground(here.mandate)
    assert ground.reasons == ()
    assert against(known(here), ground, RELEASE.digest, here.clock.now()) == []


@pytest.mark.parametrize(
    ("change", "subject", "words"),
    [
        ({"verdict": "refused"}, RELEASE, "no admission"),
        ({"charter": OTHER}, RELEASE, "another charter"),
        ({"subject": {"digest": OTHER, "name": "x"}}, RELEASE, "another release"),
        ({}, Subject("x", OTHER), "another release"),
        ({"use_case": OTHER}, RELEASE, "another use case"),
        ({"subject": None}, RELEASE, "another release"),
        ({"considered": None}, RELEASE, "not a decision object"),
        ({"considered": [{"id": OTHER, "index": 0, "origin": "alfa.example/ledger"}]}, RELEASE, "not held here"),
        ({"requirements": [{"counted": [OTHER], "waived_by": []}]}, RELEASE, "not held here"),
    ],
)
def test_an_admission_that_is_none_gives_no_ground(
    here: Gated, change: dict[str, Any], subject: Subject, words: str
) -> None:
    """Signed by an official with standing, in the view, and still not an admission of this release for this use."""
    alfa = here.at("ALFA")
    real = next(f.signed for f in known(here).facts.statements if f.signed.statement.kind == "decision")
    value = real.statement.predicate["decision"] | change
    decision = alfa.sign_and_append("decision", (subject,), {"decision": value}, person="official")
    mandate = known(here).ground(here.mandate).fact
    assert mandate is not None
    fields = mandate.signed.statement.predicate["mandate"] | {"decision": decision.id}
    id = alfa.sign_and_append("mandate", (RELEASE,), {"mandate": fields}, person="commander").id
    alfa.publish()
    here.exchange()
    answer = here.ask(mandate_id=id)
    assert answer.verdict == "deny"
    assert any(words in reason for reason in answer.reasons)


def test_a_mandate_by_a_machine_is_none(here: Gated) -> None:
    """Even where a charter's standing were to list a machine's key."""
    one = known(here)
    machine = tuple(
        replace(fact, holder=replace(fact.holder, job="gate", person=None))
        if fact.signed.statement.id == here.mandate
        else fact
        for fact in one.facts.statements
    )
    assert "not signed by a person" in without(one, facts=machine).ground(here.mandate).reasons[0]


def test_a_mandate_dated_ahead_waits_for_its_day(here: Gated) -> None:
    """Otherwise it would outlive any stop signed until then."""
    here.clock.advance(30)
    ahead = here.new_mandate()
    here.clock.jump(-30)
    assert "after now" in here.ask(mandate_id=ahead).reasons[0]
    here.clock.jump(30)
    assert here.ask(mandate_id=ahead).verdict == "permit"


def test_a_gate_stops_when_another_charter_is_in_force(here: Gated) -> None:
    """Ratifications that come by any channel close the gate from the time on that they name; one member's does not.

    Fails where a gate that adopts late goes on under rules that are gone."""
    charter = here.at("ALFA").charter
    later = rfc3339(here.clock.now() + timedelta(seconds=60))
    value = successor(charter, [], [], made=rfc3339(here.clock.now()), effective=later)
    after = parse_charter(value)
    for name in here.names[: charter.quorum.ratify]:
        assert here.ask().verdict == "permit"
        key = load_key(here.folder / name / "keys" / "root.pem")
        here.at("ALFA").take_loose(ratification_by(name, key, after, here.clock))
    assert here.ask().verdict == "permit"
    here.clock.advance(60)
    assert f"charter {after.digest} is ratified" in here.ask().reasons[0]


def test_a_view_from_the_future_is_not_fresh(here: Gated) -> None:
    """Handed such a view, whoever made it, the gate does not take its age for young."""
    one = known(here)
    mandate = one.ground(here.mandate).mandate
    assert mandate is not None
    cosigned = one.head_times["alfa.example/ledger"]
    for behind_s, count in ((300, 0), (301, 1)):
        reasons = against_view(one, mandate, mandate.rules[0], cosigned - timedelta(seconds=behind_s))
        assert len(reasons) == count
    assert "after now" in reasons[0]


def test_without_its_admission_or_evidence_a_mandate_has_no_ground(here: Gated) -> None:
    """Each statement is taken out of the view in turn."""
    one = known(here)
    for kind in ("claim", "decision", "mandate"):
        rest = tuple(fact for fact in one.facts.statements if fact.signed.statement.kind != kind)
        assert len(rest) == len(one.facts.statements) - 1
        assert without(one, facts=rest).ground(here.mandate).reasons, kind
