"""What a gate lets through, what it denies and why, and what waits for people."""

from __future__ import annotations

import pytest
from alliance import RELEASE
from charters import UNQUERIED
from gate.gated import RULES, SLEW, Gated

from watchword.gate import DoesNotCount, Gate, NoSuchHold, parse_request
from watchword.gate.authority import ALL
from watchword.gate.history import BadRecord
from watchword.limits import HOLDS_WAITING_MAX
from watchword.statements.canonical import canonical
from watchword.statements.digests import D
from watchword.statements.statement import Subject

OTHER = "sha256:" + "77" * 32


def test_what_a_rule_allows_is_permitted_with_its_receipt(here: Gated) -> None:
    """The bytes that come back are the canonical ones; the receipt says what, under which mandate, by which rule."""
    action = here.action()
    answer = here.gate.ask(action.bytes + b"\n")
    assert (answer.verdict, answer.event, answer.rule) == ("permit", "permitted", "read")
    assert answer.action_bytes == action.bytes
    receipt = here.receipts()[answer.receipt or 0]
    assert receipt["action"] == action.digest
    assert receipt["mandate"] == here.mandate
    assert D(canonical(receipt)) == answer.receipt_digest
    assert answer.told().startswith("PERMITTED  read-mail (sha256:")


def test_what_no_mandate_covers_is_denied_not_asked(here: Gated) -> None:
    """Another tool, another argument, another value: denied, recorded, and nobody is bothered."""
    for tool, args in (("send-mail", {"to": "x"}), ("read-mail", {"folder": "inbox", "bcc": "x"}), ("read-mail", {})):
        answer = here.ask(tool, args)
        assert (answer.verdict, answer.action_bytes) == ("deny", None)
        assert "commander of ALFA" in answer.reasons[0]
    assert here.events() == ["denied"] * 3
    assert here.gate.holds() == ()


def test_another_release_has_no_share_in_a_mandate(here: Gated) -> None:
    """A release without a mandate is denied, also when it names the mandate of another."""
    data = here.action(release=OTHER).bytes
    assert "no mandate for release" in here.gate.ask(data).reasons[0]
    assert "another release" in here.gate.ask(data, here.mandate).reasons[0]
    assert "not in the view" in here.gate.ask(data, "sha256:" + "0" * 64).reasons[0]
    assert here.gate.ask(data, "no digest at all").verdict == "deny"


def test_the_same_bytes_go_once(here: Gated) -> None:
    """A replayed action is denied, in this process and after a restart."""
    data = here.action().bytes
    assert here.gate.ask(data).verdict == "permit"
    assert "was let go at" in here.gate.ask(data).reasons[0]
    assert here.reopen().ask(data).verdict == "deny"
    assert here.events().count("permitted") == 1


def test_a_quota_is_counted_from_the_record(here: Gated) -> None:
    """Two in sixty seconds, over a restart; the third is denied until the first is a minute old."""
    assert here.ask("label-mail", {"label": "a"}).verdict == "permit"
    here.reopen()
    assert here.ask("label-mail", {"label": "b"}).verdict == "permit"
    assert "quota of rule sort is used up" in here.ask("label-mail", {"label": "c"}).reasons[0]
    here.clock.advance(61)
    assert here.ask("label-mail", {"label": "d"}).verdict == "permit"


def test_two_people_of_two_operators_let_a_held_action_go(here: Gated) -> None:
    """Held, approved twice, released once with exactly the bytes that were signed; each step is a receipt."""
    hold = here.held()
    request = parse_request(here.gate.hold_request(hold))
    assert here.gate.release(hold).verdict == "hold"
    assert here.approve(hold, "BRAVO").reasons == ("1 of 2 operators have approved; last commander of BRAVO",)
    assert "1 of 2" in here.gate.release(hold).reasons[0]
    assert here.gate.holds()[0].approved_by == ("commander of BRAVO",)
    assert here.approve(hold, "CHARLIE").verdict == "hold"
    released = here.gate.release(hold)
    assert (released.verdict, released.action_bytes) == ("permit", request.action.bytes)
    assert here.events() == ["held", "approved", "approved", "released"]
    assert len(here.receipts()[3]["approvals"]) == 2
    assert here.gate.holds() == ()
    with pytest.raises(NoSuchHold, match="was released"):
        here.gate.release(hold)


def test_a_hold_and_its_approvals_survive_a_restart(here: Gated) -> None:
    """What waits is in the record: another process goes on where this one ended."""
    hold = here.held()
    here.approve(hold, "BRAVO")
    before = here.gate.hold_request(hold)
    assert parse_request(before).answered == ("commander of BRAVO: approve",)
    assert here.reopen().hold_request(hold) == before
    here.approve(hold, "CHARLIE")
    assert here.reopen().release(hold).verdict == "permit"
    with pytest.raises(NoSuchHold):
        here.reopen().release(hold)


def test_asking_again_for_what_waits_makes_no_second_hold(here: Gated) -> None:
    """An impatient system gets the same hold; approvers are asked once."""
    action = here.action("slew-camera", SLEW)
    first, second = here.gate.ask(action.bytes), here.gate.ask(action.bytes)
    assert first.hold == second.hold
    assert (first.asked, first.expires) == (second.asked, second.expires)
    assert here.events() == ["held"]


def test_one_refusal_ends_a_hold(here: Gated) -> None:
    """A person who refuses is not outvoted: the hold is over, and what was approved before is not used."""
    hold = here.held()
    here.approve(hold, "BRAVO")
    answer = here.gate.approve(here.approval(hold, "CHARLIE", "refuse"))
    assert (answer.verdict, answer.event) == ("deny", "refused")
    with pytest.raises(NoSuchHold, match="was refused"):
        here.approve(hold, "CHARLIE")
    with pytest.raises(NoSuchHold, match="was refused"):
        here.gate.release(hold)


def test_a_hold_expires(here: Gated) -> None:
    """After its time it can be neither approved nor released, and the record says so once."""
    hold = here.held()
    approvals = [here.approval(hold, name) for name in ("BRAVO", "CHARLIE")]
    here.gate.approve(approvals[0])
    here.clock.advance(301)
    assert here.gate.holds() == ()
    with pytest.raises(NoSuchHold, match="was expired"):
        here.gate.approve(approvals[1])
    with pytest.raises(NoSuchHold, match="was expired"):
        here.gate.release(hold)
    assert here.events() == ["held", "approved", "expired"]


def test_everything_is_weighed_again_at_release(here: Gated) -> None:
    """Approved by everybody, then recalled: the release is denied, and stays denied."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    recall = here.sign("BRAVO", "recall", *recall_of(f"release:{RELEASE.digest}"), "official")
    here.at("ALFA").take_loose(recall)
    answer = here.gate.release(hold)
    assert (answer.verdict, answer.action_bytes) == ("deny", None)
    assert "recall of release:" in answer.reasons[0]
    assert here.events()[-1] == "denied"


def recall_of(target: str) -> tuple[tuple[Subject], dict[str, object]]:
    fields = {"target": target, "reason": "payload found", "actions": [], "deadline": None, **UNQUERIED}
    return (Subject("notice", D(target.encode())),), fields


def test_an_unknown_outcome_is_not_retried_until_it_is_reconciled(here: Gated) -> None:
    """A lost reply may have been an effect: the same call, asked anew, is denied; other calls go on."""
    first = here.action()
    assert here.gate.ask(first.bytes).verdict == "permit"
    assert here.gate.outcome(first.digest, "unknown").verdict == "noted"
    assert "nobody knows whether" in here.ask().reasons[0]
    assert here.ask("read-mail", {"folder": "sent"}).verdict == "permit"
    assert "nobody knows whether" in here.reopen().ask(here.action().bytes).reasons[0]
    assert here.gate.status()["unknown"] == [first.digest]
    here.gate.outcome(first.digest, "returned")
    assert here.ask().verdict == "permit"
    with pytest.raises(NoSuchHold, match="recorded already"):
        here.gate.outcome(first.digest, "unknown")


def test_only_what_was_let_go_has_an_outcome(here: Gated) -> None:
    """Neither a denied action nor one that waits can be reported as done."""
    denied = here.action("send-mail", {})
    here.gate.ask(denied.bytes)
    with pytest.raises(NoSuchHold, match="never let go"):
        here.gate.outcome(denied.digest, "returned")


def stop_fields(what: str) -> tuple[tuple[Subject], dict[str, object]]:
    subject = Subject("all", ALL) if what == "all" else Subject("a release", what)
    return (subject,), {"reason": "the wind turned"}


@pytest.mark.parametrize("what", ["all", RELEASE.digest])
def test_a_stop_takes_effect_before_the_next_action(here: Gated, what: str) -> None:
    """It voids the mandates made until then, waiting actions included; a mandate made after it goes on."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    answer = here.gate.stop(here.sign("BRAVO", "stop", *stop_fields(what), "official"))
    assert answer.event == "stopped"
    assert "the wind turned" in here.ask().reasons[0]
    assert here.gate.release(hold).verdict == "deny"
    assert "the wind turned" in here.reopen().ask(here.action().bytes).reasons[0]
    here.clock.advance(1)
    here.new_mandate()
    assert here.ask().verdict == "permit"
    assert here.ask(mandate_id=here.mandate).verdict == "deny"


def test_a_stop_of_another_release_stops_nothing_here(here: Gated) -> None:
    """It is recorded, and reaches only what it names."""
    here.gate.stop(here.sign("BRAVO", "stop", *stop_fields(OTHER), "official"))
    assert here.ask().verdict == "permit"


def test_a_stop_without_standing_stops_nothing(here: Gated) -> None:
    """An evaluator may not stop: refused, nothing recorded; nor does another kind pass for a stop."""
    for kind, (subject, fields), role in (
        ("stop", stop_fields("all"), "evaluator"),
        ("recall", recall_of("model:x"), "official"),
    ):
        key = here.at("BRAVO").keys.person(role)
        from watchword.statements.statement import make, sign

        statement = make(kind, subject, fields, issuer="BRAVO", made=here.clock.now())
        with pytest.raises(DoesNotCount):
            here.gate.stop(sign(statement, key))
    assert here.events() == []
    assert here.ask().verdict == "permit"


def test_a_stop_that_arrives_in_any_way_counts(here: Gated) -> None:
    """Loose, as a file that another process of the node took in: the next question is denied."""
    stop = here.sign("CHARLIE", "stop", *stop_fields("all"), "commander")
    assert here.ask().verdict == "permit"
    here.at("ALFA").take_loose(stop)
    assert "stop of everything by CHARLIE" in here.ask().reasons[0]


def test_too_many_waiting_actions_are_denied(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of holds does not bury the approvers."""
    assert HOLDS_WAITING_MAX == 1_000
    monkeypatch.setattr("watchword.gate.gate.HOLDS_WAITING_MAX", 2)
    assert [here.ask("slew-camera", SLEW).verdict for _ in range(3)] == ["hold", "hold", "deny"]


def test_hostile_text_in_a_reason_does_not_harm_the_record(here: Gated) -> None:
    """What is quoted is escaped and cut, so that terminal and the next start survive it; fails without ``_clean``."""
    hostile = "\x1b]0;owned\x07" * 4_000
    data = here.action().bytes
    for spoiled in (
        data.replace(b'"args":{', b'"%s":1,"args":{' % canonical(hostile)[1:-1]),
        data.replace(b'"args":{', b'"args":{"%s":1,' % canonical(hostile)[1:-1]),
        data.replace(b'"nonce":"', b'"nonce":1,"nonce":"'),
        b"\xff" * 100,
        b"",
    ):
        answer = here.gate.ask(spoiled)
        assert answer.verdict == "deny"
        assert all(" " <= c <= "~" for c in answer.told().replace("\n", " "))
        assert all(len(reason) <= 1_000 for reason in answer.reasons)
    assert here.reopen().ask(here.action().bytes).verdict == "permit"


def test_a_record_that_does_not_add_up_is_not_built_upon(here: Gated) -> None:
    """A release without its hold, or of another gate: the gate does not open."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    here.gate.release(hold)
    again = here.receipts()[-1]
    here.at("ALFA").append_record([again])
    with pytest.raises(BadRecord):
        here.reopen()


def test_a_gate_needs_the_writers_lock(here: Gated) -> None:
    """Two gates of one node cannot decide side by side: a reader is refused."""
    from watchword.node import Node

    with Node.open(here.folder / "ALFA", clock=here.clock) as reading, pytest.raises(NoSuchHold, match="for writing"):
        Gate(reading)


def test_status_says_what_would_be_denied(here: Gated) -> None:
    """Mandates with what speaks against them, holds, stops, the view's age."""
    hold = here.held()
    status = here.gate.status()
    assert [m["against"] for m in status["mandates"]] == [[]]
    assert status["mandates"][0]["rules"] == {"read": [], "sort": [], "human-before-slew": []}
    assert [h["id"] for h in status["holds"]] == [hold]
    assert status["view"]["age_s"] == 60
    here.clock.advance(3_600)
    rules = here.gate.status()["mandates"][0]["rules"]
    assert rules["read"] == []
    assert "was last heard 3660 s ago" in rules["sort"][0]


def test_a_mandate_outside_its_times_is_no_mandate(here: Gated) -> None:
    """Before it begins, after it ends, outside its hours, and once its admission's charter is not this one."""
    begins = {"valid_from": "2026-01-31T13:00:00Z", "valid_until": "2026-01-31T13:30:00Z"}
    later = here.new_mandate(**begins)
    night = here.new_mandate(hours={"from": "22:00", "to": "04:00"})
    assert "valid from" in here.ask(mandate_id=later).reasons[0]
    assert "22:00 to 04:00" in here.ask(mandate_id=night).reasons[0]
    here.clock.advance(3_540)
    here.exchange()
    assert here.ask(mandate_id=later).verdict == "permit"
    here.clock.advance(1_800)
    here.exchange()
    assert "valid from" in here.ask(mandate_id=later).reasons[0]


def test_a_mandate_that_is_malformed_gives_no_authority(here: Gated) -> None:
    """Its statement counts, its object does not: denied, with the reason."""
    alfa = here.at("ALFA")
    view = alfa.latest_view()
    fact = next(f for f in alfa.facts(view).statements if f.signed.statement.kind == "mandate")
    value = fact.signed.statement.predicate["mandate"]
    broken = [
        value | {"rules": [RULES[0] | {"args": [{"field": "folder", "op": "~", "value": 1}]}]},
        value | {"decision": "sha256:" + "0" * 64},
        value | {"use_case": "sha256:" + "0" * 64},
        {},
    ]
    ids = [alfa.sign_and_append("mandate", (RELEASE,), {"mandate": one}, person="commander").id for one in broken]
    two = (RELEASE, Subject("b", OTHER))
    ids.append(alfa.sign_and_append("mandate", two, {"mandate": value}, person="commander").id)
    alfa.publish()
    here.exchange()
    words = ("operator", "not in the view", "another use case", "mandate:", "2 releases")
    for id, word in zip(ids, words, strict=True):
        assert word in here.ask(mandate_id=id).reasons[0]


def test_a_rule_that_changed_under_a_hold_is_noticed(here: Gated) -> None:
    """The mandate is a statement and cannot change; what is weighed again is the mandate of the hold, no newer one."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    here.clock.advance(1)
    here.new_mandate(rules=[RULES[0]])
    assert here.ask("slew-camera", SLEW).verdict == "deny"
    assert here.gate.release(hold).verdict == "permit"


def test_an_allys_newer_mandate_is_not_taken_unasked(here: Gated) -> None:
    """A gate acts under its own member's mandate unless another is named. Fails if the newest of anybody is taken."""
    own = here.ask().mandate
    theirs = here.new_mandate(by="BRAVO")
    assert here.ask().mandate == own
    assert here.ask(mandate_id=theirs).mandate == theirs


def test_a_mandate_that_waits_for_cosignatures_is_named(here: Gated) -> None:
    """Who has signed a mandate is told to exchange, not to sign another."""
    alfa = here.at("ALFA")
    fact = next(f for f in alfa.facts(alfa.latest_view()).statements if f.signed.statement.kind == "mandate")
    fields = {"mandate": fact.signed.statement.predicate["mandate"]}
    recorded = alfa.sign_and_append("mandate", (Subject("other 1", OTHER),), fields, person="commander")
    answer = here.gate.ask(here.action(release=OTHER).bytes)
    assert answer.verdict == "deny"
    assert f"{recorded.locator} waits for cosignatures" in answer.reasons[0]
