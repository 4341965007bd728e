"""What closes a gate: a stop by anyone entitled, a recall, an admission that lapsed. At once, and timed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, Alliance, notice_subject
from charters import UNQUERIED
from gate.gated import ALONE, FAST, SLEW, USE_CASE, Gated, gated
from gate.test_restrictions import caveat, rule

from watchword.gate import DoesNotCount
from watchword.gate.authority import session_subject
from watchword.gate.restrictions import seen_of
from watchword.gate.session import Unclean, Verdict
from watchword.node import Node
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject, make, sign
from watchword.statements.times import rfc3339

ALL = Subject("all", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def stop(here: Gated, *subject: Subject, by: str = "BRAVO", person: str = "official") -> bytes:
    return here.sign(by, "stop", subject, {"reason": "drill"}, person)


def test_a_stop_of_a_session_ends_that_session_whatever_the_mandate(here: Gated) -> None:
    """Its actions are denied, under a later mandate too, a held one as well; another session goes on.

    Fails when stops of sessions are not looked for.
    """
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    here.gate.stop(stop(here, session_subject("s1")))
    here.clock.advance(1)
    later = here.new_mandate()
    assert here.ask(mandate_id=later).reasons == (
        "stop of this session by BRAVO at 2026-01-31T12:01:00Z: drill; it takes a new session",
    )
    assert here.gate.release(hold).event == "denied"
    other = here.action().value | {"session": "s2"}
    assert here.gate.ask(json.dumps(other).encode()).event == "permitted"


def test_a_release_called_like_a_session_is_no_session(here: Gated) -> None:
    """Only the digest of the words makes a session of it: a stop of a release stays one of the release."""
    here.gate.stop(stop(here, Subject("session:s1", RELEASE.digest)))
    assert "stop of this release by BRAVO" in here.ask().reasons[0]
    assert here.gate.stops()[0].what == f"release {RELEASE.digest} is stopped by BRAVO: drill"


@pytest.mark.parametrize(("person", "counts"), [("official", True), ("commander", True), ("evaluator", False)])
def test_whoever_is_entitled_can_stop_and_nobody_else(here: Gated, person: str, counts: bool) -> None:
    """The charter lists who; fails when a stop's standing is not looked at."""
    key = here.at("BRAVO").keys.person(person)
    envelope = sign(make("stop", (ALL,), {"reason": "drill"}, issuer="BRAVO", made=here.clock.now()), key)
    if counts:
        assert here.gate.stop(envelope).event == "stopped"
    else:
        with pytest.raises(DoesNotCount):
            here.gate.stop(envelope)
    assert (here.ask().verdict == "deny") is counts


def test_a_stop_needs_no_writers_lock(here: Gated) -> None:
    """Taken in by another process while this gate is at work: the next action is denied, and the record says how long
    after its signature the gate met it. Fails when what is known is kept while loose bad news came."""
    assert here.ask().event == "permitted"
    with Node.open(here.folder / "ALFA", clock=here.clock) as reading:
        reading.take_loose(reading.sign("stop", (ALL,), {"reason": "drill"}, person="commander").envelope)
    here.clock.advance(7)
    assert here.ask().event == "denied"
    met = here.receipts()[-2]
    assert met["event"] == "stopped"
    assert met["reasons"][0] == "everything is stopped by ALFA: drill"
    assert met["reasons"][2] == "met here 7 s after it was signed 2026-01-31T12:01:00Z"


def test_what_closed_the_gate_is_told_once_and_listed(here: Gated) -> None:
    """After a restart too; with what was denied and let go since, and who can open again."""
    here.gate.stop(stop(here, ALL))
    here.ask()
    here.reopen()
    here.ask()
    here.gate.stop(stop(here, session_subject("s9"), by="CHARLIE"))
    here.gate.stop(stop(here, session_subject("s9"), by="CHARLIE"))
    assert here.events() == ["stopped", "denied", "denied", "stopped"]
    latest, first = here.gate.stops()
    assert (first.what, first.took_s, first.denied, first.let_go) == ("everything is stopped by BRAVO: drill", 0, 2, 0)
    assert first.lifted_by == "lifted for a release by a new mandate (commander)"
    assert latest.what == "session:s9 is stopped by CHARLIE: drill"
    assert latest.lifted_by == "not lifted: begin a new session"
    here.clock.advance(1)
    assert here.ask(mandate_id=here.new_mandate()).event == "permitted"
    assert [one.let_go for one in here.gate.stops()] == [0, 0]


def test_a_recall_gets_a_receipt_when_it_comes_in(here: Gated) -> None:
    """By file, from an ally, to a gate that was cut off: closed before the next action, and timed."""
    target = f"release:{RELEASE.digest}"
    fields = {"target": target, "reason": "payload found", "actions": [], "deadline": None, **UNQUERIED}
    envelope = here.sign("CHARLIE", "recall", notice_subject(target), fields, "official")
    here.clock.advance(95)
    here.at("ALFA").take_loose(envelope)
    assert here.ask().event == "denied"
    assert here.events() == ["stopped", "denied"]
    (closing,) = here.gate.stops()
    assert closing.what == f"{target} is recalled by CHARLIE: payload found"
    assert (closing.took_s, closing.denied) == (95, 1)
    assert "taken back as notices are" in closing.lifted_by


def test_an_exercise_closes_nothing_and_is_timed(here: Gated) -> None:
    """The gate tells once when it met the exercise, and goes on; what it does not reach is not told.

    Fails when an exercise is listed among the recalls of a mandate.
    """
    for target in (f"exercise:release:{RELEASE.digest}", "exercise:supplier:FALCO"):
        fields = {"target": target, "reason": "yearly", "actions": [], "deadline": None, **UNQUERIED}
        here.at("ALFA").take_loose(here.sign("CHARLIE", "recall", notice_subject(target), fields, "official"))
    here.clock.advance(40)
    assert here.ask().event == "permitted"
    here.reopen()
    here.clock.advance(1)
    assert here.ask().event == "permitted"
    assert here.events() == ["exercised", "permitted", "permitted"]
    assert here.receipts()[0]["reasons"][0] == f"exercise:release:{RELEASE.digest} is recalled by CHARLIE: yearly"
    assert "met here 40 s after" in here.receipts()[0]["reasons"][2]
    assert here.gate.stops() == ()


# -- admissions that lapse ------------------------------------------------------------------------

END = "2026-01-31T13:00:00Z"
WAIVED = json.dumps(
    {"id": "evaluated", "kind": "evaluation", "from": "member", "waiver": {"count": 1, "role": "official"}}
)
RELIED = json.dumps({"id": "reviewed", "kind": "review", "from": "owner"})


def waive(here: Alliance, until: str = END) -> None:
    fields = {
        "requirement": "evaluated", "use_case": DJ(USE_CASE), "owner": "official", "reason": "urgent", "expires": until,
    }  # fmt: skip
    here.nodes["ALFA"].sign_and_append("waiver", (RELEASE,), fields, person="official")


def rely(here: Alliance) -> None:
    review = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
    said = here.nodes["BRAVO"].sign_and_append("review", (RELEASE,), review, person="official")
    here.nodes["BRAVO"].publish()
    here.sync()
    limits: dict[str, Any] = {"criticality_max": 3, "until": END, "tags": [], "members": []}
    fields = {"statement": said.id, "limits": limits, "reason": "ours too"}
    here.nodes["ALFA"].sign_and_append("reliance", (RELEASE,), fields, person="official")


@pytest.fixture
def resting() -> Any:
    """Makes a gate whose admission rests on one more row."""
    with tempfile.TemporaryDirectory(prefix="watchword-closing-", dir=FAST) as folder:
        made: list[Gated] = []

        def make(names: tuple[str, ...], row: str, prepare: Callable[[Alliance], None]) -> Gated:
            made.append(gated(Path(folder), names, None, row, prepare))
            return made[-1]

        yield make
        for one in made:
            one.close()


@pytest.mark.parametrize(
    ("names", "row", "prepare", "words"),
    [
        (ALONE, WAIVED, waive, f"waiver of evaluated that the admission rests on expired {END}"),
        (("ALFA", "BRAVO"), RELIED, rely, f"reliance by ALFA that the admission rests on ended {END}"),
    ],
)
def test_an_admission_lapses_with_what_it_rests_on(
    resting: Any, names: tuple[str, ...], row: str, prepare: Callable[[Alliance], None], words: str
) -> None:
    """To the second, for held actions too. Fails when the ends of waivers and reliances are not looked at."""
    one: Gated = resting(names, row, prepare)
    mandate = one.new_mandate(view_max_age_s=10**6)
    hold = str(one.ask("slew-camera", SLEW, mandate_id=mandate).hold)
    one.approve(hold, *names)
    one.clock.advance(3_600 - 60)
    assert rfc3339(one.clock.now()) == END
    assert one.ask(mandate_id=mandate).verdict == "permit"
    one.clock.advance(1)
    assert one.ask(mandate_id=mandate).reasons == (f"{words}; it takes a new admission",)
    assert one.gate.status()["mandates"][-1]["against"] == [f"{words}; it takes a new admission"]


def test_a_reliance_that_falls_takes_the_admission_with_it(resting: Any) -> None:
    """Retracted by the owner, known by file alone: denied at once. Fails when only what was counted is looked at."""
    one: Gated = resting(("ALFA", "BRAVO"), RELIED, rely)
    assert one.ask().verdict == "permit"
    facts = one.gate.known().facts.statements
    id = next(f.signed.statement.id for f in facts if f.signed.statement.kind == "reliance")
    fields = {"target": f"statement:{id}", "reason": "limits were wrong"}
    one.at("ALFA").take_loose(one.sign("ALFA", "retract", notice_subject(f"statement:{id}"), fields, "official"))
    answer = one.ask()
    assert answer.verdict == "deny"
    assert answer.reasons[0].startswith("reliance by ALFA that the mandate rests on fell: retracted")


# -- after a restart ------------------------------------------------------------------------------

UNCLEAN = Unclean("target", "tower-12", "untrusted", "read in the open web")


def test_an_approved_hold_survives_a_restart_with_what_the_door_knew(here: Gated) -> None:
    """A caveat about destinations and unclean values weighs a release as it weighed the hold, in another process.

    Fails when what the door knew is not in the record: then the rule is in trouble, and forbids.
    """
    caveat(here, rule(("unclean", ">", 1)), rule(("effect", "==", "irreversible"), id="never"))
    seen = Verdict("hold", (f"target: {UNCLEAN.why}",), "c", (UNCLEAN,))
    assert seen_of(here.action(), seen) == {"unclean": 1}
    from gate.test_restrictions import CARD
    from msgspec.structs import replace

    card = replace(CARD, tool="slew-camera", effect="write", args={name: CARD.args["to"] for name in SLEW})
    seen = Verdict(seen.event, seen.reasons, seen.call, seen.unclean, card)
    held = here.ask("slew-camera", SLEW, provenance=seen)
    assert held.event == "held"
    here.approve(str(held.hold), "BRAVO", "CHARLIE")
    assert here.receipts()[0]["seen"]["unclean"] == 1
    here.reopen()
    assert here.gate.release(str(held.hold)).event == "released"


def test_what_the_door_knew_also_forbids_after_a_restart(here: Gated) -> None:
    """It only restricts: a caveat that came after the approval is asked of it."""
    seen = Verdict("hold", (f"target: {UNCLEAN.why}",), "c", (UNCLEAN,))
    held = here.ask("slew-camera", SLEW, provenance=seen)
    here.approve(str(held.hold), "BRAVO", "CHARLIE")
    caveat(here, rule(("unclean", ">", 0)), by="CHARLIE")
    here.reopen()
    answer = here.gate.release(str(held.hold))
    assert answer.event == "denied"
    assert "forbids it" in answer.reasons[0]
