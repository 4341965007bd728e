"""I4: an approval releases exactly one action: the bytes signed are the bytes executed; it cannot be replayed, reused,
or outlive its expiry, and two keys of one operator are one."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gate.gated import ALONE, FAST, RULES, SLEW, TWO, Gated, gated

from watchword.errors import WatchwordError
from watchword.gate import DoesNotCount, Gate, NoSuchHold, approval_fields, parse_request
from watchword.gate.action import new_action
from watchword.gate.approval import check_approval
from watchword.gate.desk import Desk
from watchword.node import BusyNode, Node
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import D, b64, unb64
from watchword.statements.keys import generate
from watchword.statements.statement import Subject, make, open_envelope, sign
from watchword.statements.times import FixedClock, rfc3339

OTHER = "sha256:" + "77" * 32


def test_each_byte_of_what_was_signed_is_bound(here: Gated) -> None:
    """Flip any byte of the signed payload, or of a signature in steps: refused. Then the untouched one counts.

    Fails when the signature check of ``charter.standing`` is removed.
    """
    hold = here.held()
    envelope = parse_json(here.approval(hold, "BRAVO"))
    payload = unb64(envelope["payload"])
    signature = unb64(envelope["signatures"][0]["sig"])
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        here.refused(canonical(envelope | {"payload": b64(changed)}))
    for place in (*range(0, 64, 7), *range(64, len(signature), 331), len(signature) - 1):
        changed = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        one = envelope["signatures"][0] | {"sig": b64(changed)}
        here.refused(canonical(envelope | {"signatures": [one]}))
    assert here.gate.approve(canonical(envelope)).event == "approved"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("subject", OTHER, "another action"),
        ("gate", "BRAVO", "gate is 'BRAVO'"),
        ("hold", "00000000", "no such hold"),
        ("mandate", OTHER, "mandate is"),
        ("asked", "2026-01-31T12:00:59Z", "asked is"),
        ("expires", "2026-01-31T12:06:01Z", "longer than the hold waits"),
        ("expires", "2026-01-31T12:00:59Z", "expired"),
        ("preview", OTHER, "what was shown"),
        ("person", "official", "names 'official'"),
    ],
)
def test_every_field_that_binds_is_compared(here: Gated, field: str, value: str, words: str) -> None:
    """Rightly signed over something else: another action, gate, hold, mandate, time, screen or person.

    Each fails when the comparison of that name is removed from ``gate.approval``.
    """
    hold = here.held()
    assert words in here.refused(here.approval(hold, "BRAVO", **{field: value}))
    with pytest.raises(WatchwordError, match="cannot be good until"):
        approval_fields(parse_request(here.gate.hold_request(hold)), "x", "approve", "2026-01-31T12:06:01Z")
    assert here.gate.release(hold).verdict == "hold"


def test_each_byte_of_every_field_that_binds_is_compared(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another byte anywhere in action, gate, hold, mandate, asked, preview or person, rightly signed over: refused.

    The signature is taken as good here, so that the comparisons stand alone. ``expires`` may be sooner, never later.
    Fails when any of the comparisons is removed, or looks at a part.
    """
    hold = here.held()
    signed = open_envelope(here.approval(hold, "BRAVO"))
    said = signed.statement
    known, now = here.gate.known(), here.clock.now()
    request = parse_request(here.gate.hold_request(hold))
    rule = next(one for one in known.ground(request.mandate).mandate.rules if one.id == request.rule)
    monkeypatch.setattr("watchword.gate.approval.standing", lambda charter, one, **_: charter.holders[one.key_id])
    tried = 0

    def judged(**changes: Any) -> None:
        statement = replace(said, **changes)
        check_approval(known, request, rule, replace(signed, statement=statement), now, ())

    judged()
    for field in ("subject", "gate", "hold", "mandate", "asked", "preview", "person"):
        text = said.subject[0].digest if field == "subject" else said.predicate[field]
        for place, letter in enumerate(text):
            for other in {chr(ord(letter) ^ 1), "0" if letter != "0" else "1"}:
                changed = text[:place] + other + text[place + 1 :]
                how = (
                    {"subject": (Subject("action", changed),)}
                    if field == "subject"
                    else {"predicate": {**said.predicate, field: changed}}
                )
                with pytest.raises(WatchwordError):
                    judged(**how)
                tried += 1
        with pytest.raises(WatchwordError):
            judged(**({"subject": ()} if field == "subject" else {"predicate": {**said.predicate, field: text + " "}}))
    assert tried > 400


def test_an_approval_for_one_hold_does_not_serve_another(here: Gated) -> None:
    """The same call asked twice is two actions: what was signed for the first does not move the second."""
    first, second = here.held(), here.held()
    envelope = here.approval(first, "BRAVO")
    moved = here.approval(first, "BRAVO", hold=second)
    assert "another action" in here.refused(moved)
    here.gate.approve(envelope)
    assert here.gate.release(second).verdict == "hold"
    assert [hold.approved_by for hold in here.gate.holds()] == [("commander of BRAVO",), ()]


def test_an_approval_counts_once(here: Gated) -> None:
    """Replayed at once, after a restart, and after the release: refused."""
    hold = here.held()
    envelope = here.approval(hold, "BRAVO")
    here.gate.approve(envelope)
    assert "taken before" in here.refused(envelope)
    here.reopen()
    assert "taken before" in here.refused(envelope)
    here.approve(hold, "CHARLIE")
    here.gate.release(hold)
    assert "taken before" in here.refused(envelope)
    assert "waits no more" in here.refused(here_again(here, envelope))


def here_again(here: Gated, envelope: bytes) -> bytes:
    """The same fields signed once more: another statement, for a hold that is over."""
    signed = open_envelope(envelope)
    fields = {k: v for k, v in signed.statement.predicate.items() if k not in ("issuer", "made", "scope", "after")}
    here.clock.advance(1)
    return here.sign("BRAVO", "approval", signed.statement.subject, fields, "commander")


def test_two_members_of_one_operator_are_one(here: Gated) -> None:
    """DELTA is run by BRAVO's operator: its genuine approval adds nothing; fails when names are counted."""
    hold = here.held()
    here.approve(hold, "BRAVO")
    assert "operator BRAVO has approved already" in here.refused(here.approval(hold, "DELTA"))
    assert "operator BRAVO has approved already" in here.refused(here_again(here, here.approval(hold, "BRAVO")))
    assert here.gate.release(hold).verdict == "hold"


def test_an_approval_signed_before_the_hold_was_asked_is_refused(here: Gated) -> None:
    """A stock of approvals signed in advance is worth nothing."""
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    here.clock.jump(-1)
    early = here.sign("BRAVO", "approval", subject, fields, "commander")
    here.clock.jump(1)
    assert "before the hold was asked" in here.refused(early)


def test_an_approval_does_not_outlive_its_expiry(here: Gated) -> None:
    """Taken in time and expired before the release: it no longer counts then."""
    hold = here.held()
    here.gate.approve(here.approval(hold, "BRAVO", expires="2026-01-31T12:02:00Z"))
    here.approve(hold, "CHARLIE")
    here.clock.advance(61)
    answer = here.gate.release(hold)
    assert answer.verdict == "hold"
    assert "expired 2026-01-31T12:02:00Z" in answer.reasons[1]
    # BRAVO may sign again; the one that expired does not stand in its way.
    here.approve(hold, "BRAVO")
    assert here.gate.release(hold).verdict == "permit"


def test_an_approval_counts_through_its_last_second_and_is_not_signed_after_it(here: Gated) -> None:
    """At the moment that it names it still counts, a second later no more; one that a clock ahead signed after its own
    end was never good, although it is presented in time."""
    hold = here.held()
    last = here.clock.now().replace(microsecond=0) + timedelta(seconds=60)
    in_time = here.approval(hold, "CHARLIE", expires=rfc3339(last))
    request = parse_request(here.gate.hold_request(hold))

    def signed_at(seconds: int) -> bytes:
        subject, fields = approval_fields(request, "commander", "approve")
        here.clock.jump(seconds)
        signed = here.sign("BRAVO", "approval", subject, fields | {"expires": rfc3339(last)}, "commander")
        here.clock.jump(-seconds)
        return signed

    at_its_end, after_it = signed_at(60), signed_at(61)
    assert "after it expires" in here.refused(after_it)
    here.clock.advance(60)
    assert here.gate.approve(at_its_end).event == "approved"
    here.clock.advance(1)
    assert "expired" in here.refused(in_time)


def test_who_may_not_approve_is_refused(here: Gated) -> None:
    """A person without the role, a machine's key, a stranger's key, a key under another member's name."""
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")

    def signed_by(key: Any, issuer: str, **changes: Any) -> bytes:
        return sign(make("approval", subject, fields | changes, issuer=issuer, made=here.clock.now()), key)

    bravo = here.at("BRAVO").keys
    for envelope, words in (
        (signed_by(bravo.person("evaluator"), "BRAVO", person="evaluator"), "may not say this"),
        (signed_by(bravo.job("gate"), "BRAVO"), "signed with the key of gate"),
        (signed_by(generate(65), "BRAVO"), "not in the charter"),
        (signed_by(bravo.person("commander"), "CHARLIE"), "but the key is BRAVO's"),
    ):
        assert words in here.refused(envelope)


def test_who_has_another_role_than_the_rule_asks_may_refuse_and_not_approve(here: Gated) -> None:
    """A commander's yes is nothing where an evaluator is asked; his no counts: it can only restrict. Fails when the
    role is not compared, or is asked of a refusal too."""
    slew = next(one for one in RULES if one["id"] == "human-before-slew")
    mandate = here.new_mandate(rules=[slew | {"approvals": TWO | {"role": "evaluator"}}], stale="deny")
    hold = str(here.ask("slew-camera", SLEW, mandate_id=mandate).hold)
    assert "is no evaluator, which rule human-before-slew asks for" in here.refused(here.approval(hold, "BRAVO"))
    assert here.gate.release(hold).verdict == "hold"
    assert here.gate.approve(here.approval(hold, "BRAVO", "refuse")).event == "refused"
    with pytest.raises(NoSuchHold, match="was refused"):
        here.gate.release(hold)


@pytest.mark.parametrize("kind", ["retract", "revoke"])
def test_bad_news_about_an_approval_counts_until_the_release(here: Gated, kind: str) -> None:
    """Taken back by its signer, or its key revoked, between approval and release: it no longer counts."""
    hold = here.held()
    envelope = here.approval(hold, "BRAVO")
    here.gate.approve(envelope)
    here.approve(hold, "CHARLIE")
    signed = open_envelope(envelope)
    if kind == "retract":
        target, extra, person = f"statement:{signed.statement.id}", {}, "commander"
    else:
        spared = {"valid_up_to": [{"origin": "alfa.example/ledger", "size": 2**40}]}
        target, extra, person = f"key:{signed.key_id}", spared, None
    subject = (Subject("notice", D(target.encode())),)
    fields = {"target": target, "reason": "pressed"} | extra
    notice = here.at("BRAVO").sign(kind, subject, fields, person=person).envelope
    here.at("ALFA").take_loose(notice)
    answer = here.gate.release(hold)
    assert (answer.verdict, answer.action_bytes) == ("hold", None)
    assert any("commander of BRAVO" in reason for reason in answer.reasons)


def test_what_the_approver_sees_is_what_the_gate_executes(here: Gated) -> None:
    """A request file whose action, rule or text was changed is refused, or signs something the gate refuses."""
    hold = here.held()
    data = here.gate.hold_request(hold)
    request = parse_request(data)
    assert request.challenge == "tower-12"
    assert 'target = "tower-12"' in request.render()
    value = parse_json(data)
    swapped = new_action("slew-camera", SLEW | {"target": "tower-13"}, request.action.release, "s1", here.clock)
    with pytest.raises(WatchwordError, match="text is not what its fields give"):
        parse_request(canonical(value | {"action": swapped.value}))
    with pytest.raises(WatchwordError, match="text is not what its fields give"):
        parse_request(canonical(value | {"text": value["text"].replace("tower-12", "tower-13")}))
    lying = canonical(value | {"text": value["text"].replace("tower-12", "tower-13"), "action": swapped.value})
    with pytest.raises(WatchwordError):
        parse_request(lying)
    subject, fields = approval_fields(replace(request, action=swapped), "commander", "approve")
    assert "another action" in here.refused(here.sign("BRAVO", "approval", subject, fields, "commander"))


def contend(folder: str, at: Any, hold: str, envelope: bytes, start: Any, released: Any) -> None:
    """64 threads of one process race to take one approval and to release its hold, as often as they get a turn."""
    clock = FixedClock(at)
    start.wait()

    def race(gate: Gate) -> None:
        for step in (lambda: gate.approve(envelope), lambda: gate.release(hold)):
            try:
                answer = step()
            except (DoesNotCount, NoSuchHold):
                continue
            if answer.action_bytes is not None:
                released.put(answer.action_bytes)

    for _ in range(200):
        try:
            node = Node.open(Path(folder) / "ALFA", clock=clock, writing=True)
        except BusyNode:
            clock.monotonic()
            threading.Event().wait(0.02)
            continue
        with node:
            gate = Gate(node)
            threads = [threading.Thread(target=race, args=(gate,)) for _ in range(64)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return


@pytest.mark.parametrize("by", ["key", "passkey"])
def test_two_processes_of_64_threads_release_once(by: str) -> None:
    """One approval, one hold, 128 contenders in two processes that take turns: exactly one gets the bytes.

    That of a passkey lies on the desk of the approval page as well, where each of them finds it.
    """
    with tempfile.TemporaryDirectory(prefix="watchword-i4-", dir=FAST) as folder:
        one = gated(Path(folder), ALONE)
        hold = one.held()
        envelope = one.approval(hold, "ALFA") if by == "key" else one.by_device(hold, "ALFA")
        if by == "passkey":
            Desk(one.at("ALFA")).answer(parse_request(one.gate.hold_request(hold)), open_envelope(envelope))
        expected = parse_request(one.gate.hold_request(hold)).action.bytes
        one.close()
        one.nodes.clear()
        processes = multiprocessing.get_context("fork")
        start, released = processes.Event(), processes.Queue()
        arguments = (str(one.folder), one.clock.now(), hold, envelope, start, released)
        racing = [processes.Process(target=contend, args=arguments) for _ in range(2)]
        for process in racing:
            process.start()
        start.set()
        first = released.get(timeout=60)
        for process in racing:
            process.join(60)
            assert process.exitcode == 0
        assert first == expected
        assert released.empty()
        assert one.events().count("released") == one.events().count("approved") == 1
        one.close()
