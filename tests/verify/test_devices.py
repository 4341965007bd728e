"""Answers by passkeys and smartcards in verify.py, and charters that list them (docs/protocol.md, sections 7 and 9)."""

import base64

import pytest
from devices import COPYABLE, PRESENT, VERIFIED, Device

from watchword.charter.charter import parse_charter_file
from watchword.errors import WatchwordError
from watchword.statements.digests import b64
from watchword.statements.passkeys import EDDSA

ZEROS = "sha256:" + "0" * 64
BOUND = ("answer", "asked", "expires", "gate", "hold", "mandate", "preview")


def refused(verify, tale, match):
    """The receipts are refused, for this reason."""
    with pytest.raises(verify.Refused, match=match) as caught:
        tale.check()
    assert str(caught.value).startswith("step 9, ")


@pytest.fixture(scope="module")
def devices():
    """A passkey on P-256, one on Ed25519, and a card."""
    return Device(), Device(alg=EDDSA), Device(origin=None)


@pytest.fixture
def listed(story, devices):
    """As ``gate``, in a charter that lists the devices for the approver of each member."""
    keys = [{"alg": one.alg, "id": b64(one.id), "key": b64(one.passkey.key), "origin": one.origin} for one in devices]
    passkeys = {("ALFA", "ben"): keys[:2], ("BRAVO", "ben"): keys[2:]}
    tale = story(members=("ALFA", "BRAVO"), passkeys=passkeys).evidence()
    tale.decide()
    return tale.mandate()


@pytest.mark.parametrize("first", [0, 1])
def test_devices_that_the_charter_lists_approve(listed, devices, first):
    """A passkey of either algorithm, and a card: each is checked here with nothing installed."""
    action = listed.action()
    given = [
        listed.approve("ALFA", action, devices[first].assertion),
        listed.approve("BRAVO", action, devices[2].assertion),
    ]
    listed.receipt("released", action, given).anchor()
    [release] = listed.check()["releases"]
    assert release["approved_by"] == ["ben@ALFA of ALFA", "ben@BRAVO of BRAVO"]


def _other_said(name):
    """A device that was shown another *name*."""
    return lambda device: lambda action, said, charter: device.assertion(action, said | {name: "x"}, charter)


def _told(**told):
    return lambda device: lambda *about: device.assertion(*about, **told)


def _spoiled(signature):
    """A device whose signature's bytes are changed by *signature*."""

    def sign(device):
        def assertion(*about):
            given = device.assertion(*about)
            return given | {"signature": b64(signature(base64.b64decode(given["signature"])))}

        return assertion

    return sign


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        *[(_other_said(name), "asked for something else") for name in sorted(BOUND)],
        (lambda device: lambda _, *rest: device.assertion("sha256:" + "0" * 64, *rest), "asked for something else"),
        (
            lambda device: lambda a, s, _: device.assertion(a, s, ZEROS) | {"charter": "sha256:" + "1" * 64},
            "something else",
        ),
        (_told(flags=PRESENT), "of nobody verified"),
        (_told(flags=VERIFIED), "of nobody verified"),
        (_told(flags=PRESENT | VERIFIED | COPYABLE), "can be copied"),
        (_told(host="evil.example"), "for another host"),
        (_told(type="webauthn.create"), "asked for something else"),
        (_told(crossOrigin=True), "or elsewhere"),
        (_spoiled(lambda sig: sig[:-1] + bytes([sig[-1] ^ 1])), "does not verify|not a signature"),
        (_spoiled(lambda sig: sig + b"\0"), "not a signature"),
        (_spoiled(lambda sig: b"\x30\x06\x02\x01\x00\x02\x01\x00"), "not a signature"),
        (_spoiled(lambda sig: b""), "not a signature"),
        (lambda device: Device(id=device.id).assertion, "does not verify"),
        (lambda device: Device().assertion, "does not list"),
    ],
)
def test_a_device_signs_exactly_this(verify, listed, devices, spoil, reason):
    """Each bound field, flag and byte is looked at; each case fails when its comparison is removed."""
    action = listed.action()
    given = [
        listed.approve("ALFA", action, spoil(devices[0])),
        listed.approve("BRAVO", action, devices[2].assertion),
    ]
    listed.receipt("released", action, given).anchor()
    refused(verify, listed, reason)


def test_a_device_vouched_for_by_another_key_than_the_gates_is_refused(verify, listed, devices):
    """Two halves of two people make no answer; fails when the assertion is ignored where a person's key signs."""
    action = listed.action()
    given = [
        listed.approve("ALFA", action, devices[0].assertion, signs="ben"),
        listed.approve("BRAVO", action, devices[2].assertion),
    ]
    listed.receipt("released", action, given).anchor()
    refused(verify, listed, "a device's answer has the gate's key around it")


def test_the_gate_alone_is_no_approver(verify, listed, devices):
    """The gate's key without a device says nothing; fails when its standing is enough."""
    action = listed.action()
    given = [listed.approve("ALFA", action, signs="gate"), listed.approve("BRAVO", action, devices[2].assertion)]
    listed.receipt("released", action, given).anchor()
    refused(verify, listed, "signed with the key of")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"alg": -257}, "no P-256 key"),
        ({"key": "AAAA"}, "no P-256 key"),
        (
            {"key": b64(bytes.fromhex("a5010203262001215820") + b"\1" * 32 + bytes.fromhex("225820") + b"\1" * 32)},
            "no P-256",
        ),
        ({"id": b64(b"short")}, "16 to 1023 bytes"),
        ({"origin": "http://gate.alfa.example"}, "origin is none"),
        ({"origin": "https://Gate.example"}, "origin is none"),
        ("twice", "there twice"),
    ],
)
def test_a_passkey_that_is_none_makes_no_charter(verify, builder, devices, change, reason):
    """As the package refuses it; a charter that two verifiers read differently is no charter."""
    one = devices[0]
    device = {"alg": one.alg, "id": b64(one.id), "key": b64(one.passkey.key), "origin": one.origin}
    keys = [device, device] if change == "twice" else [device | change]
    file = builder.Alliance(members=("ALFA", "BRAVO"), passkeys={("ALFA", "ben"): keys}).charter_file()
    with pytest.raises(ValueError, match=reason):
        verify.read_charter(file)
    with pytest.raises(WatchwordError):
        parse_charter_file(file)
