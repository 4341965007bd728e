"""Approvals by passkey and by smartcard: what a person's device signed, and nothing else, counts for him."""

from __future__ import annotations

import dataclasses

import pytest
from devices import COPYABLE, PRESENT, VERIFIED, Device
from gate.gated import CARDS, DEVICES, SLEW, Gated

from watchword.gate import DoesNotCount, approval_fields, parse_request
from watchword.gate.approval import offline_signer
from watchword.statements.canonical import parse_json
from watchword.statements.digests import b64, unb64
from watchword.statements.passkeys import EDDSA, Passkey
from watchword.statements.statement import Subject, open_envelope


def test_a_passkey_and_a_card_release_an_action_like_keys(here: Gated) -> None:
    """One approves on a page, one with a card, each at his own member; the receipt names both people."""
    hold = here.held()
    assert here.gate.approve(here.by_device(hold, "BRAVO")).event == "approved"
    assert here.gate.approve(here.by_device(hold, "CHARLIE", device=CARDS["CHARLIE"])).event == "approved"
    answer = here.gate.release(hold)
    assert answer.event == "released"
    assert answer.reasons == ("approved by commander of BRAVO, commander of CHARLIE",)


def test_an_assertion_for_one_action_does_not_serve_another(here: Gated) -> None:
    """Approve A, present it for B: refused, however rightly the rest is signed."""
    first, second = here.held(), here.held()
    given = parse_request(here.gate.hold_request(first))
    wanted = parse_request(here.gate.hold_request(second))
    _, signed_for = approval_fields(given, "commander", "approve")
    subject, fields = approval_fields(wanted, "commander", "approve")
    charter = here.gate.node.charter.digest
    fields["assertion"] = DEVICES["BRAVO"].assertion(given.action.digest, signed_for, charter)
    assert "not this action" in here.refused(here.sign("BRAVO", "approval", subject, fields, None))


@pytest.mark.parametrize(
    "name", ["action", "answer", "asked", "charter", "expires", "gate", "hold", "mandate", "preview"]
)
def test_every_field_of_the_challenge_is_bound(here: Gated, name: str) -> None:
    """The device signed another answer, time, gate, hold, mandate, screen, action or charter than the statement says.

    Each fails when that name is taken out of ``passkeys.BOUND`` or ``passkeys.message``.
    """
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    other = {
        "answer": "refuse", "asked": "2026-01-31T12:00:58Z", "expires": "2026-01-31T12:05:00Z", "gate": "BRAVO",
        "hold": "00000000", "mandate": "sha256:" + "11" * 32, "preview": "sha256:" + "22" * 32,
        "action": "sha256:" + "33" * 32, "charter": "sha256:" + "44" * 32,
    }[name]  # fmt: skip
    charter = here.gate.node.charter.digest
    signed_for = fields | ({name: other} if name in fields else {})
    action = other if name == "action" else subject[0].digest
    given = DEVICES["BRAVO"].assertion(action, signed_for, other if name == "charter" else charter)
    fields["assertion"] = given | {"charter": charter}
    told = here.refused(here.sign("BRAVO", "approval", subject, fields, None))
    assert "not this action, answer, hold, screen, charter and time" in told


def test_each_byte_that_the_device_signed_is_bound(here: Gated) -> None:
    """Flip a byte of what browser, authenticator or signature say, wrapped and signed anew by the node: refused.

    The node that wraps it may be dishonest. Fails when the device's signature is not verified.
    """
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    given = DEVICES["BRAVO"].assertion(subject[0].digest, fields, here.gate.node.charter.digest)
    for name in ("authenticator_data", "client_data", "signature", "credential"):
        data = unb64(given[name])
        for place in range(0, len(data), 3 if name == "authenticator_data" else 23):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            fields["assertion"] = given | {name: b64(changed)}
            here.refused(here.sign("BRAVO", "approval", subject, fields, None))
    fields["assertion"] = given
    assert here.gate.approve(here.sign("BRAVO", "approval", subject, fields, None)).event == "approved"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"flags": PRESENT}, "did not verify who was there"),
        ({"flags": VERIFIED}, "did not verify who was there"),
        ({"flags": PRESENT | VERIFIED | COPYABLE}, "can be copied"),
        ({"type": "webauthn.create"}, "not this action"),
        ({"challenge": "AAAA"}, "not this action"),
        ({"origin": "https://gate.bravo.example.evil.example"}, "it was asked for at"),
        ({"origin": "http://gate.bravo.example"}, "it was asked for at"),
        ({"crossOrigin": True}, "a page inside another page"),
        ({"host": "evil.example"}, "was not asked for gate.bravo.example"),
    ],
)
def test_a_device_that_was_asked_wrongly_does_not_count(here: Gated, how: dict[str, object], words: str) -> None:
    """Nobody verified, a copyable passkey, a phishing page, a frame: refused. Each fails without its check."""
    hold = here.held()
    assert words in here.refused(here.by_device(hold, "BRAVO", **how))


def test_a_device_counts_for_its_own_person_and_member_alone(here: Gated) -> None:
    """BRAVO's node cannot present CHARLIE's passkey, an unlisted one, or its own person's for another person."""
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    charter = here.gate.node.charter.digest
    for device in (DEVICES["CHARLIE"], Device("https://gate.bravo.example")):
        fields["assertion"] = device.assertion(subject[0].digest, fields, charter)
        assert "the charter does not list" in here.refused(here.sign("BRAVO", "approval", subject, fields, None))
    fields["assertion"] = DEVICES["BRAVO"].assertion(subject[0].digest, fields, charter)
    other = fields | {"person": "official"}
    assert "the charter does not list" in here.refused(here.sign("BRAVO", "approval", subject, other, None))


def test_a_gates_key_without_a_device_approves_nothing(here: Gated) -> None:
    """A node cannot answer for its people; nor do a person's key and a device make two. Fails without rule 1."""
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    assert "signed with the key of gate" in here.refused(here.sign("BRAVO", "approval", subject, fields, None))
    fields["assertion"] = DEVICES["BRAVO"].assertion(subject[0].digest, fields, here.gate.node.charter.digest)
    both = here.sign("BRAVO", "approval", subject, fields, "commander")
    assert "signed with the key of commander" in here.refused(both)


def test_a_replayed_assertion_counts_once(here: Gated) -> None:
    """The same assertion, and the same wrapped anew: one answer of one operator."""
    hold = here.held()
    envelope = here.by_device(hold, "BRAVO")
    here.gate.approve(envelope)
    assert "taken before" in here.refused(envelope)
    fields = dict(parse_json(unb64(parse_json(envelope)["payload"]))["predicate"])
    for name in ("issuer", "made", "scope", "after"):
        del fields[name]
    here.clock.advance(1)
    action = here.gate.holds()[0].action.digest
    anew = here.sign("BRAVO", "approval", (Subject("action", action),), fields, None)
    assert "one device answers once" in here.refused(anew)


def test_an_approval_under_a_former_charter_is_refused(here: Gated) -> None:
    """What the device signed names the charter: under another one, a person answers again."""
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    fields["assertion"] = DEVICES["BRAVO"].assertion(subject[0].digest, fields, "sha256:" + "44" * 32)
    assert "under another charter" in here.refused(here.sign("BRAVO", "approval", subject, fields, None))


def test_who_revokes_a_persons_key_revokes_his_devices(here: Gated) -> None:
    """A stolen device falls with the key of its person, from any channel; fails when only the signing key is asked."""
    hold = here.held()
    here.gate.approve(here.by_device(hold, "BRAVO"))
    bravo = here.at("BRAVO")
    person = next(one for one in bravo.me.keys if one.person == "commander")
    fields = {"target": f"key:{person.public.id}", "reason": "stolen", "valid_up_to": []}
    from watchword.statements.digests import D

    subject = (Subject("notice", D(fields["target"].encode())),)
    bravo.sign_and_append("revoke", subject, fields, person="root")
    here.exchange()
    assert here.gate.release(hold).verdict == "hold"
    with pytest.raises(DoesNotCount, match="key revoked"):
        here.gate.approve(here.by_device(hold, "BRAVO"))


def test_an_ed25519_device_signs_as_well(here: Gated) -> None:
    """EdDSA, as some security keys have it, by the same rules."""
    from watchword.statements.passkeys import BadAssertion, verify_assertion

    device = Device("https://gate.bravo.example", EDDSA)
    hold = here.held()
    subject, fields = approval_fields(parse_request(here.gate.hold_request(hold)), "commander", "approve")
    said = fields | {"assertion": device.assertion(subject[0].digest, fields, "sha256:" + "44" * 32)}
    verify_assertion(device.passkey, subject[0].digest, said)
    other = dataclasses.replace(device.passkey, key=device.passkey.key[:-1] + bytes([device.passkey.key[-1] ^ 1]))
    with pytest.raises(BadAssertion, match="does not verify"):
        verify_assertion(other, subject[0].digest, said)
    assert isinstance(device.passkey, Passkey) and SLEW


@pytest.mark.parametrize("answer", ["refuse", "wrong-target", "wrong-content"])
def test_each_way_to_say_no_ends_the_hold_and_says_which(here: Gated, answer: str) -> None:
    """More than yes and no: the record says what was wrong, and nobody can release it any more."""
    hold = here.held()
    here.approve(hold, "CHARLIE")
    given = here.gate.approve(here.by_device(hold, "BRAVO", answer))
    assert given.event == "refused"
    assert given.reasons == ("refused by commander of BRAVO" + ("" if answer == "refuse" else f": {answer}"),)
    assert here.gate.holds() == ()


@pytest.mark.parametrize("answer", ["not-my-task", "escalate"])
def test_who_leaves_a_hold_to_others_does_not_approve_it(here: Gated, answer: str) -> None:
    """It waits on for others; the same person's approval afterwards, by device or key, is not taken, restarts or not.

    Fails without ``holding.check_second``.
    """
    hold = here.held()
    assert here.gate.approve(here.by_device(hold, "BRAVO", answer)).event == "passed"
    assert "left this hold to others" in here.refused(here.by_device(hold, "BRAVO"))
    here.reopen()
    assert "left this hold to others" in here.refused(here.approval(hold, "BRAVO"))
    here.approve(hold, "CHARLIE", "ALFA")
    assert here.gate.release(hold).event == "released"


def test_an_auditor_checks_an_answer_with_the_charter_alone(here: Gated) -> None:
    """By key, passkey or card; what another member's gate key wraps is nobody's. Fails without ``by_device``."""
    hold = here.held()
    charter = here.gate.node.charter
    by_card = here.by_device(hold, "BRAVO", device=CARDS["BRAVO"])
    for envelope in (here.approval(hold, "BRAVO"), here.by_device(hold, "BRAVO"), by_card):
        holder = offline_signer(charter, open_envelope(envelope))
        assert (holder.person, holder.owner) == ("commander", "BRAVO")
    wrong = here.by_device(hold, "BRAVO", device=DEVICES["CHARLIE"])
    with pytest.raises(DoesNotCount, match="the charter does not list"):
        offline_signer(charter, open_envelope(wrong))
