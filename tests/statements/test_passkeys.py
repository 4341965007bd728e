"""What a device is said to have signed, from hostile hands: refused by name, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from devices import Device
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.statements.digests import b64
from watchword.statements.passkeys import EDDSA, ES256, card_of, parse_passkey, read_passkey, verify_assertion

ACTION, CHARTER = "sha256:" + "11" * 32, "sha256:" + "22" * 32
SAID: dict[str, Any] = dict.fromkeys(("answer", "asked", "expires", "gate", "hold", "mandate", "preview"), "x")
DEVICES = [Device(), Device(alg=EDDSA), Device(None), Device(None, EDDSA)]
FIELDS = st.sampled_from(("authenticator_data", "client_data", "credential", "signature"))
BYTES = st.one_of(st.binary(max_size=2_100), st.text(max_size=200).map(str.encode)).map(b64)


@pytest.mark.parametrize("device", DEVICES)
def test_what_a_device_signed_verifies_and_nothing_near_it(device: Device) -> None:
    """Each algorithm, in a browser and on a card; one bit of the key or another id is another device."""
    said = SAID | {"assertion": device.assertion(ACTION, SAID, CHARTER)}
    verify_assertion(device.passkey, ACTION, said)
    value = device.passkey.value()
    assert parse_passkey(value) == device.passkey
    for other in (Device(device.origin, device.alg), Device(device.origin, device.alg, device.id)):
        with pytest.raises(WatchwordError):
            verify_assertion(other.passkey, ACTION, said)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DEVICES), st.dictionaries(FIELDS, st.one_of(st.none(), BYTES)))
def test_any_other_assertion_is_refused_by_name(device: Device, changes: dict[str, str | None]) -> None:
    """Whatever stands in its fields: refused with an error that names it, in bounded time."""
    right = device.assertion(ACTION, SAID, CHARTER)
    changes = {name: text for name, text in changes.items() if name not in ("credential", "signature") or text}
    if all(right[name] == text for name, text in changes.items()):
        return
    with pytest.raises(WatchwordError):
        verify_assertion(device.passkey, ACTION, SAID | {"assertion": right | changes})


@settings(max_examples=150, deadline=None)
@given(st.sampled_from((ES256, EDDSA, 0, -257)), BYTES, BYTES, st.one_of(st.none(), st.text(max_size=80)))
def test_any_other_passkey_is_refused_by_name(alg: int, id: str, key: str, origin: str | None) -> None:
    """Of random bytes none is a key on the curve in its one form."""
    with pytest.raises(WatchwordError):
        parse_passkey({"alg": alg, "id": id, "key": key, "origin": origin})


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.just(b"{}"), st.just(b"-----BEGIN PUBLIC KEY-----\nAAAA\n")))
def test_a_file_that_is_no_device_is_refused_by_name(data: bytes) -> None:
    """What the operator is given may be anything."""
    for read in (read_passkey, card_of):
        with pytest.raises(WatchwordError):
            read(data)
