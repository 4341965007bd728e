"""Vigilance probes: committed first, drawn by nobody, told apart by nothing on the screen, never let go, revealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, inspection
from gate.gated import RULES, SLEW, TWO, Gated
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.gate import DoesNotCount, NoSuchHold, parse_request
from watchword.gate.action import new_action, parse_action
from watchword.gate.desk import Desk
from watchword.gate.mandate import BadMandate, parse_mandate
from watchword.gate.overseeing import NotOver, opening, plans_shown, warnings
from watchword.gate.oversight import figures, traffic
from watchword.gate.probes import BadPlan, Plan, check_shown, draft_plan, read_plan
from watchword.gate.receipts import parse_receipt
from watchword.statements.canonical import canonical
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock, parse_time

PROBING = {"caught_min": "0.9", "per_1000": 200}
BAD = {"target": "tower-13", "azimuth_deg": 180}
KEY = "5a" * 32


def plan_value(mandate: str, **changes: Any) -> dict[str, Any]:
    probes = [{"tool": "slew-camera", "args": BAD, "why": "tower-13 looks into a school", "screen": []}]
    value = {"format": "watchword-probe-plan/1", "key": KEY, "mandate": mandate, "per_1000": 200, "probes": probes}
    return value | changes


def planned(here: Gated, **changes: Any) -> tuple[str, str]:
    """A mandate that allows probes, and a plan of them that stands in the view; their ids."""
    mandate = here.new_mandate(probes=PROBING, view_max_age_s=10**6, stale="deny")
    alfa = here.at("ALFA")
    digest = alfa.keep_object(plan_value(mandate, **changes))
    subject = alfa.locate(mandate).signed.statement.subject
    plan = alfa.sign_and_append("probe-plan", subject, {"mandate": mandate, "plan": digest}, person="commander")
    here.clock.advance(5)
    if "BRAVO" in here.names:
        here.at("BRAVO").sign_and_append("inspection", (RELEASE,), inspection(), person="evaluator")
    here.exchange()
    return mandate, plan.id


def shown(here: Gated, holds: int = 60) -> str:
    """Hold after hold until the schedule shows a probe; the hold that it is. All others have expired by then."""
    for _ in range(holds):
        real = here.held()
        here.clock.advance(290)
        here.ask()
        waiting = [hold.id for hold in here.gate.holds() if hold.id != real]
        if waiting:
            return waiting[0]
        here.clock.advance(20)
    raise AssertionError(f"no probe after {holds} holds")


def test_a_probe_is_shown_as_any_hold_and_is_revealed_when_two_fell_for_it(here: Gated) -> None:
    """Nothing on the screen or in the receipt tells; after the second approval it is told, and never goes."""
    planned(here)
    hold = shown(here)
    request = parse_request(here.gate.hold_request(hold))
    assert request.action.args == BAD
    real = parse_request(here.gate.hold_request(here.held()))
    assert set(request.action.value) == set(real.action.value)
    assert (request.action.session, request.action.release) == (real.action.session, real.action.release)
    assert request.render().count("\n") == real.render().count("\n")
    assert "probe" not in request.render() + str(here.gate.status())
    assert "1 of 2" in here.gate.approve(here.approval(hold, "BRAVO")).reasons[0]
    assert here.gate.release(hold).reasons == ("1 of 2 operators have approved",)
    answer = here.gate.approve(here.approval(hold, "CHARLIE"))
    assert "never to be done: tower-13 looks into a school" in answer.reasons[-1]
    with pytest.raises(NoSuchHold, match="was revealed"):
        here.gate.release(hold)
    assert not {"released", "permitted"} & {r["event"] for r in here.receipts() if r["hold"] == hold}
    assert here.events()[-1] == "revealed"


def test_a_probe_lies_on_the_approval_page_as_any_hold(here: Gated) -> None:
    """What the page shows is what waits, the probe among it, without anybody listing the holds first."""
    planned(here)
    for _ in range(60):
        here.held()
        here.clock.advance(290)
        here.ask()
        waiting = {held.id: held.action.args for held in here.gate._history.waiting()}
        if BAD in waiting.values():
            break
        here.clock.advance(20)
    assert BAD in waiting.values()
    assert waiting.keys() <= {request.hold for request in Desk(here.at("ALFA")).waiting()}


@pytest.mark.parametrize("answer", ["refuse", "wrong-target"])
def test_who_looks_catches_it_and_is_told_at_once(here: Gated, answer: str) -> None:
    """A refusal ends the probe; the receipt that reveals it follows, and the figures count it as caught."""
    planned(here)
    hold = shown(here)
    told = here.gate.approve(here.approval(hold, "BRAVO", answer)).reasons
    assert "vigilance probe" in told[-1]
    receipts = [parse_receipt(value, "receipt") for value in here.receipts()]
    found = traffic(receipts, lambda id: here.at("ALFA").locate(id).signed.statement, lambda mandate, rule: "commander")
    pool = figures(found, "BRAVO", 10)[0]
    assert pool.vigilance is not None
    assert (pool.vigilance.caught.at, pool.vigilance.caught.n) == (1.0, 1)
    assert sum(count for _, count in pool.answers) == 0, "probes are no ordinary traffic"


def test_a_probe_that_nobody_answered_is_revealed_too(here: Gated) -> None:
    """It expires as other holds do, and then it is told."""
    planned(here)
    hold = shown(here)
    here.clock.advance(301)
    here.ask()
    assert [r["event"] for r in here.receipts() if r["hold"] == hold] == ["held", "expired", "revealed"]


def test_its_bytes_alone_say_that_it_is_one(here: Gated, tmp_path: Path) -> None:
    """Asked for again, under a mandate that permits it without people, after a restart: it does not go.

    Fails when the last look in ``Gate._record`` is removed.
    """
    planned(here)
    hold = shown(here)
    data = parse_request(here.gate.hold_request(hold)).action.bytes
    here.clock.advance(301)
    here.ask()
    free = [rule if rule["tool"] != "slew-camera" else rule | {"approvals": TWO | {"count": 0}} for rule in RULES]
    here.clock.advance(5)
    here.new_mandate(rules=free, view_max_age_s=10**6)
    assert here.ask("slew-camera", BAD).verdict == "permit"
    for again in (False, True):
        answer = (here.reopen() if again else here.gate).ask(data)
        assert (answer.verdict, answer.action_bytes) == ("deny", None)
        assert "vigilance probe" in answer.reasons[0]


def test_a_plan_that_cannot_be_opened_closes_its_mandate(here: Gated) -> None:
    """Without the key nobody can say what is a probe: nothing goes under that mandate; another one does.

    Fails when an unopened plan is passed over.
    """
    _, plan = planned(here)
    assert here.ask().verdict == "permit"
    alfa = here.at("ALFA")
    digest = alfa.locate(plan).signed.statement.predicate["plan"]
    (here.folder / "ALFA" / "objects" / f"{digest.removeprefix('sha256:')}.json").unlink()
    answer = here.reopen().ask(here.action().bytes)
    assert answer.verdict == "deny" and "opening of probe plan" in answer.reasons[0]
    here.clock.advance(5)
    here.new_mandate()
    assert here.ask().verdict == "permit"


def test_nothing_is_shown_before_the_plan_is_committed_and_a_head_is_cosigned(here: Gated) -> None:
    """A plan that is signed and in no view shows nothing; nor does one without a head younger than itself."""
    mandate = here.new_mandate(probes=PROBING, view_max_age_s=10**6, stale="deny")
    alfa = here.at("ALFA")
    digest = alfa.keep_object(plan_value(mandate))
    subject = alfa.locate(mandate).signed.statement.subject
    alfa.sign_and_append("probe-plan", subject, {"mandate": mandate, "plan": digest}, person="commander")
    here.ask()
    assert "scheduled" not in here.events()
    here.clock.advance(5)
    here.at("BRAVO").sign_and_append("inspection", (RELEASE,), inspection(), person="evaluator")
    here.exchange()
    here.ask()
    scheduled = [r for r in here.receipts() if r["event"] == "scheduled"]
    assert len(scheduled) == 1
    assert '"origin":"bravo.example/' in scheduled[0]["reasons"][1], "of another member"


def test_the_auditor_finds_every_probe_in_the_schedule(here: Gated) -> None:
    """With the opened plan and the record: what was shown is what was drawn; another key or head says otherwise."""
    _, id = planned(here)
    shown(here)
    gate = here.gate
    start, head = gate._history.scheduled[id]
    holds = [held for held in gate._history.holds.values() if held.index > start]
    plan = gate._probing.plans[0]
    assert check_shown(plan, head, holds) == []
    assert "did not draw" in check_shown(replace(plan, per_1000=0), head, holds)[0]
    real = [held for held in holds if not plan.is_probe(held.action)]
    probe = next(held for held in holds if plan.is_probe(held.action))
    early = replace(probe, action=plan.probe(0, real[0], here.clock.now()), asked=real[0].asked)
    assert check_shown(plan, head, [early, early, *real]) != []


def test_a_schedule_survives_a_restart(here: Gated) -> None:
    """What was drawn before the gate was opened again is shown after it, once."""
    planned(here)
    for _ in range(60):
        here.held()
        here.reopen()
        here.clock.advance(290)
        here.ask()
        here.reopen()
        here.ask()
        probes = [held for held in here.gate._history.holds.values() if held.action.args == BAD]
        if probes:
            break
        here.clock.advance(20)
    assert len(probes) == 1
    here.clock.advance(5)
    here.ask()
    assert len([held for held in here.gate._history.holds.values() if held.action.args == BAD]) == 1


def test_a_surge_shows_no_probes_and_asks_for_no_fewer_people(here: Gated) -> None:
    """With ten waiting nobody is tested; each of them still needs two operators, whatever the figures say.

    Fails when PROBE_QUEUE_MAX is not looked at.
    """
    planned(here)
    for _ in range(80):
        here.held()
    here.clock.advance(299)
    here.ask()
    holds = here.gate.holds()
    assert len(holds) == 80
    assert {hold.needed for hold in holds} == {2}
    assert all(hold.action.args == SLEW for hold in holds)


def test_who_planned_it_does_not_answer_it(here: Gated) -> None:
    """The commander who wrote the probes knows them: his answer would say nothing."""
    planned(here)
    hold = shown(here)
    with pytest.raises(DoesNotCount, match="planned what this hold"):
        here.gate.approve(here.approval(hold, "ALFA"))
    assert here.gate.approve(here.approval(here.held(), "ALFA")).event == "approved"


def test_nobody_is_tested_without_authority(here: Gated, tmp_path: Path) -> None:
    """No probes in the mandate, the top criticality, a use nobody knows, an action that would not wait: no plan."""
    mandate = parse_mandate(here.at("ALFA").locate(here.mandate).signed.statement.predicate["mandate"])
    path = tmp_path / "probes.toml"
    path.write_text('[[probes]]\ntool = "slew-camera"\nargs = {target = "tower-13", azimuth_deg = 9}\nwhy = "x"\n')
    with pytest.raises(BadPlan, match="allows no probes"):
        draft_plan(path, here.mandate, mandate, 1)
    allowed = parse_mandate(_value(mandate) | {"probes": PROBING})
    for criticality in (3, 4, None):
        with pytest.raises(BadPlan, match="nobody is tested"):
            draft_plan(path, here.mandate, allowed, criticality)
    assert read_plan(draft_plan(path, here.mandate, allowed, 2), "", ("", ""), "x").probes[0].args["azimuth_deg"] == 9
    for text, words in (
        ('[[probes]]\ntool = "read-mail"\nargs = {folder = "inbox"}\nwhy = "x"\n', "would not wait"),
        ('[[probes]]\ntool = "burn"\nargs = {}\nwhy = "x"\n', "would not wait"),
        ('[[probes]]\ntool = "slew-camera"\nargs = {}\n', "why"),
        ("probes = 3\n", "Expected `array`"),
        ("probes = []\n", "length"),
        ("[[probes]]\ntool = 'x'\nargs = {}\nwhy = 'x'\n[more]\n", "nothing else"),
    ):
        path.write_text(text)
        with pytest.raises(BadPlan, match=words):
            draft_plan(path, here.mandate, allowed, 1)


def _value(mandate: Any) -> dict[str, Any]:
    import msgspec

    return msgspec.to_builtins(mandate)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "probes",
    [
        {"caught_min": "1.0", "per_1000": 5},
        {"caught_min": "0.9", "per_1000": 0},
        {"caught_min": "0.9", "per_1000": 201},
    ],
)
def test_a_mandate_says_how_much_and_no_more(here: Gated, probes: dict[str, Any]) -> None:
    """More than one in five, none at all, a bound that nobody can meet: no mandate."""
    mandate = parse_mandate(here.at("ALFA").locate(here.mandate).signed.statement.predicate["mandate"])
    with pytest.raises(BadMandate):
        parse_mandate(_value(mandate) | {"probes": probes})


def test_a_pool_that_fails_is_warned_of_and_asked_for_as_many_people(here: Gated) -> None:
    """Both who were asked fell for it, a third refused another action: a warning, and two are needed as before."""
    planned(here)
    assert warnings(here.at("ALFA")) == []
    here.approve(shown(here), "BRAVO", "CHARLIE")
    assert warnings(here.at("ALFA")) == [], "of two people nothing is said"
    here.gate.approve(here.approval(here.held(), "ALFA", "refuse"))
    (told,) = warnings(here.at("ALFA"))
    assert told.startswith("pool commander caught 0 of 2: the true rate may be anything from 0 to 84 %")
    here.held()
    assert {hold.needed for hold in here.gate.holds()} == {2}


def test_plans_are_listed_and_opened_when_they_are_over(here: Gated) -> None:
    """What was revealed is counted, as drawn; before the mandate's end the plan stays shut."""
    _, id = planned(here)
    hold = shown(here)
    here.approve(hold, "BRAVO", "CHARLIE")
    (one,) = plans_shown(here.gate)
    assert (one.revealed, one.missed, one.wrong) == (1, 1, ())
    assert '"origin":"bravo.example/ledger"' in one.head
    statement = here.at("ALFA").locate(id).signed.statement
    with pytest.raises(NotOver, match="would test nobody"):
        opening(here.at("ALFA"), statement, here.clock.now())
    here.clock.advance(86_400)
    assert opening(here.at("ALFA"), statement, here.clock.now())["key"] == KEY
    with pytest.raises(BadPlan, match="no probe-plan but: mandate"):
        opening(here.at("ALFA"), here.at("ALFA").locate(here.mandate).signed.statement, here.clock.now())


def test_a_stopped_mandate_shows_nothing_more(here: Gated) -> None:
    """The commander's authority ends with his mandate: what was drawn before is not shown after a stop."""
    from watchword.gate.authority import ALL

    planned(here)
    for _ in range(12):
        here.held()
    stop = here.sign("ALFA", "stop", (Subject("all", ALL),), {"reason": "drill"}, "commander")
    here.gate.stop(stop)
    here.clock.advance(290)
    here.ask()
    assert "slew-camera" not in {h.action.tool for h in here.gate.holds() if h.action.args == BAD}


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.dictionaries(st.text(max_size=8), st.integers(-9, 9), max_size=3))
def test_no_other_action_has_the_form(key: bytes, args: dict[str, int]) -> None:
    """A probe is one under its own key alone; what a system asks for is none, and one byte changed makes it none."""
    from watchword.gate.history import Held
    from watchword.gate.probes import Probe

    clock = FixedClock(parse_time("2026-01-31T12:00:00Z"))
    ordinary = new_action("slew-camera", args, "sha256:" + "9c" * 32, "s1", clock)
    probes = (Probe(tool="t", args=args, why="x", screen=[]),)
    plan = Plan("sha256:" + "0" * 64, ("ALFA", None), "sha256:" + "1" * 64, key, 200, probes)
    other = Plan(plan.id, plan.planner, plan.mandate, bytes(32 * [7]), 200, plan.probes)
    like = Held("h", ordinary, plan.mandate, None, "r", ordinary.asked, 0)
    probe = plan.probe(0, like, clock.now())
    assert plan.is_probe(probe) and not plan.is_probe(ordinary)
    assert key == other.key or not other.is_probe(probe)
    changed = parse_action(canonical(probe.value | {"session": "s2"}))
    assert not plan.is_probe(changed)
