"""The approval page, over HTTP and in a real browser: headless Chromium with a virtual authenticator."""

from __future__ import annotations

import atexit
import json
import socket
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from devices import Device, challenge
from gate.gated import ALONE, FAST, Gated, gated
from web.browsers import Browser, opened

from watchword.gate.desk import Desk
from watchword.gate.request import parse_request
from watchword.node import Node
from watchword.statements.digests import b64, unb64
from watchword.statements.passkeys import read_passkey
from watchword.statements.statement import open_envelope

pytest.importorskip("starlette", reason="what `gate page` needs is not installed")
pytest.importorskip("webauthn", reason="what `gate page` needs is not installed")
BOUND = socket.create_server(("127.0.0.1", 0))
atexit.register(BOUND.close)
ORIGIN = f"http://localhost:{BOUND.getsockname()[1]}"
DEVICE = Device(ORIGIN)


@dataclass
class Served:
    """A gate at ALFA, alone, and its approval page."""

    here: Gated
    desk: str
    address: Callable[[str], str]
    register: str

    def page_of(self, hold: str) -> str:
        return self.address(hold)


@pytest.fixture
def served() -> Iterator[Served]:
    from watchword.web.approvals import app
    from watchword.web.serving import server

    with tempfile.TemporaryDirectory(prefix="watchword-page-", dir=FAST) as folder:
        here = gated(Path(folder), ALONE, DEVICE)
        reader, ready = Node.open(here.folder / "ALFA", clock=here.clock), threading.Event()
        page = app(reader, ORIGIN, ["commander"])
        running = server(page, None, None, ready.set)
        thread = threading.Thread(target=running.run, args=([BOUND.dup()],))
        thread.start()

        def address(hold: str) -> str:
            return page.address(parse_request(here.gate.hold_request(hold)))

        try:
            assert ready.wait(10)
            yield Served(here, page.desk_address, address, page.register_address("commander"))
        finally:
            running.should_exit = running.force_exit = True
            thread.join()
            reader.close()
            here.close()


def fetched(address: str, body: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
    """Status, text and headers of an answer."""
    request = urllib.request.Request(address.replace("localhost", "127.0.0.1"), body, {"Host": ORIGIN[7:]} | headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def posted(served: Served, hold: str, answer: str, device: Device = DEVICE, *, signed: str = "", **how: Any) -> Any:
    """What the page says to an answer that *device* signed, for the answer *signed* where that is another."""
    from watchword.gate import approval_fields

    request = parse_request(served.here.gate.hold_request(hold))
    subject, fields = approval_fields(request, "commander", signed or answer)
    charter = served.here.gate.node.charter.digest
    data, client = device.answer(challenge(subject[0].digest, fields, charter), **how)
    from hashlib import sha256

    signature = device.sign(data + sha256(client).digest())
    response = {"authenticatorData": url(data), "clientDataJSON": url(client), "signature": url(signature)}
    body = json.dumps({"answer": answer, "credential": {"rawId": url(device.id), "response": response}}).encode()
    status, text, _ = fetched(served.page_of(hold), body, **{"Content-Type": "application/json"})
    return status, json.loads(text)["told"]


def url(data: bytes) -> str:
    return b64(data).rstrip("=").replace("+", "-").replace("/", "_")


# -- over HTTP --------------------------------------------------------------------------------------


def test_an_answer_on_the_page_releases_the_action(served: Served) -> None:
    """Signed there, checked there, taken in by the gate at its next look, and the action goes."""
    hold = served.here.held()
    status, told = posted(served, hold, "approve")
    assert (status, told) == (200, "Signed by commander of ALFA: approve. Next, ALFA's gate looks at it.")
    assert served.here.gate.release(hold).event == "released"


def test_the_screen_is_the_text_that_is_signed(served: Served) -> None:
    """The page shows the request's own text, where its values come from, what policy asks and who has answered."""
    hold = served.here.held()
    status, text, headers = fetched(served.page_of(hold))
    request = parse_request(served.here.gate.hold_request(hold))
    import html

    assert status == 200 and html.escape(request.render(), quote=False).replace('"', "&#34;") in text
    assert "<strong>Not known.</strong> No session told this gate" in text
    assert "Nobody whose answer ALFA" in text
    assert '<p><button type="button" data-answer="wrong-target"' in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    posted(served, hold, "escalate")
    assert "1 from here, which the gate has not looked at yet" in fetched(served.page_of(hold))[1]
    served.here.gate.take_answers()
    assert "commander of ALFA: escalate" in fetched(served.page_of(hold))[1]


def test_who_does_not_know_the_address_sees_nothing(served: Served) -> None:
    """Another token, another hold's token, another host, a hold that is over: 404, 404, 421, 410."""
    first, second = served.here.held(), served.here.held()
    at, other = served.page_of(first), served.page_of(second)
    assert fetched(at[:-1] + ("0" if at[-1] != "0" else "1"))[0] == 404
    assert fetched(at.rpartition("/")[0] + "/" + other.rpartition("/")[2])[0] == 404
    assert fetched(served.desk.rpartition("/")[0] + "/" + "0" * 32)[0] == 404
    assert fetched(at, Host="evil.example")[0] == 421
    door = Desk(served.here.at("ALFA")).token("at")
    assert "tower-12" in fetched(f"{ORIGIN}/at/{door}/{first}")[1]
    assert fetched(f"{ORIGIN}/at/{'0' * 32}/{first}")[0] == 404
    assert first in fetched(served.desk)[1] and second in fetched(served.desk)[1]
    served.here.approve(first, "ALFA")
    served.here.gate.release(first)
    assert fetched(at)[0] == 410


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"flags": 1}, "did not verify who was there"),
        ({"flags": 13}, "can be copied"),
        ({"origin": "http://localhost:1"}, "it was asked for at"),
        ({"signed": "refuse"}, "not this action, answer"),
        ({"device": Device(ORIGIN)}, "not one of the charter's"),
    ],
)
def test_the_page_wraps_nothing_that_a_gate_would_refuse(served: Served, how: dict[str, Any], words: str) -> None:
    """Nobody verified, copyable, another page, another answer, a stranger's device: not signed, not laid down."""
    hold = served.here.held()
    status, told = posted(served, hold, "approve", **how)
    assert status == 403 and words in told
    assert list(Desk(served.here.at("ALFA")).answers()) == []


def test_a_replayed_answer_is_told_to_be_one(served: Served) -> None:
    """The same body twice: the gate takes one, and the page says why it did not take the other."""
    hold = served.here.held()
    posted(served, hold, "not-my-task")
    served.here.clock.advance(1)
    posted(served, hold, "not-my-task")
    assert [one.event for one in served.here.gate.take_answers()] == ["passed"]
    assert "one device answers once" in fetched(served.page_of(hold))[1]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"answer":"approve","credential":{}}', b"{" * 70_000])
def test_rubbish_is_no_answer(served: Served, body: bytes) -> None:
    """400 or 413, in bounded time; nothing is laid down."""
    hold = served.here.held()
    assert fetched(served.page_of(hold), body)[0] in (400, 413)


def test_a_request_of_another_gate_waits_on_the_desk_too(served: Served) -> None:
    """Brought as a file; the answer is a file to carry, and counts at that gate; forged text is not laid."""
    from dataclasses import replace

    from watchword.gate.request import BadRequest

    hold = served.here.held()
    own = parse_request(served.here.gate.hold_request(hold))
    foreign = replace(own, gate="BRAVO")
    desk = Desk(served.here.at("ALFA"))
    with pytest.raises(BadRequest):
        desk.lay(foreign.encode().replace(b"tower-12", b"tower-13", 1))
    laid = desk.lay(foreign.encode())
    status, text, _ = fetched(f"{ORIGIN}/holds/{desk.place(laid)}")
    assert status == 200 and "at BRAVO" in text
    assert "BRAVO" in fetched(served.desk)[1]


# -- in a browser -----------------------------------------------------------------------------------


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    one = opened(chromium, DEVICE)
    yield one
    one.page.context.close()


def test_a_person_approves_in_a_browser(served: Served, browser: Browser) -> None:
    """Opens what waits, reads one action, presses a button; the device signs, and exactly that action goes.

    py_webauthn, which knows nothing of this project, verifies the same assertion.
    """
    from webauthn import verify_authentication_response

    hold = served.here.held()
    browser.page.goto(served.desk)
    browser.page.click(f"a:has-text('{hold}')")
    assert "tower-12" in browser.page.inner_text("#preview")
    assert browser.press("button[data-answer=approve]").startswith("Signed by commander of ALFA: approve.")
    (_, envelope), *_ = Desk(served.here.at("ALFA")).answers()
    answer = served.here.gate.release(hold)
    assert answer.event == "released" and answer.reasons == ("approved by commander of ALFA",)
    statement = open_envelope(envelope).statement
    given = {name: unb64(text) for name, text in statement.predicate["assertion"].items() if name != "charter"}
    verified = verify_authentication_response(
        credential={
            "id": url(given["credential"]), "rawId": url(given["credential"]), "type": "public-key",
            "response": {
                "authenticatorData": url(given["authenticator_data"]), "clientDataJSON": url(given["client_data"]),
                "signature": url(given["signature"]),
            },
        },
        expected_challenge=challenge(
            statement.subject[0].digest, statement.predicate, served.here.gate.node.charter.digest
        ),
        expected_rp_id="localhost", expected_origin=ORIGIN, credential_public_key=DEVICE.passkey.key,
        credential_current_sign_count=1, require_user_verification=True,
    )  # fmt: skip
    assert verified.user_verified
    assert {one.partition("://")[2].partition("/")[0] for one in browser.fetched} == {ORIGIN[7:]}


def test_approve_a_and_present_it_for_b_is_refused(served: Served, browser: Browser) -> None:
    """A page that asks the device for another action's challenge gets a signature that the node does not wrap."""
    first, second = served.here.held(), served.here.held()
    browser.page.goto(served.page_of(first))
    stolen = browser.page.get_attribute("button[data-answer=approve]", "data-challenge")
    browser.page.goto(served.page_of(second))
    browser.page.eval_on_selector("button[data-answer=approve]", f"(one) => one.dataset.challenge = '{stolen}'")
    assert "what was signed is not this action" in browser.press("button[data-answer=approve]")
    assert served.here.gate.release(second).verdict == "hold"
    assert served.here.gate.release(first).verdict == "hold"


def test_a_device_that_does_not_verify_its_person_signs_nothing(served: Served, browser: Browser) -> None:
    """No PIN, no fingerprint: the browser itself refuses, and the page says that nothing was signed."""
    hold = served.here.held()
    browser.tell("setUserVerified", isUserVerified=False)
    assert browser.answer(served.page_of(hold), "approve") == "Nothing was signed (NotAllowedError)."
    assert served.here.gate.release(hold).verdict == "hold"


def test_a_person_says_what_is_wrong_in_a_browser(served: Served, browser: Browser) -> None:
    """Wrong target ends the hold, and the record says so."""
    hold = served.here.held()
    assert "wrong target" in browser.answer(served.page_of(hold), "wrong-target")
    (answer,) = served.here.gate.take_answers()
    assert answer.reasons == ("refused by commander of ALFA: wrong-target",)


def test_a_person_registers_a_device_in_a_browser(served: Served, chromium: Any) -> None:
    """The page keeps a passkey for the operator, pinned to its own origin; it counts for nothing yet."""
    browser = opened(chromium)
    try:
        browser.page.goto(served.register)
        told = browser.press("#register")
        assert told.startswith("Made. Its fingerprint is sha256:")
        (path,) = (served.here.folder / "ALFA" / "desk" / "passkeys").iterdir()
        passkey = read_passkey(path.read_bytes())
        assert passkey.origin == ORIGIN and passkey.fingerprint in told
        assert passkey.id not in {one.id for one in served.here.at("ALFA").me.keys[-1].passkeys}
    finally:
        browser.page.context.close()


def test_a_copyable_passkey_is_not_registered(served: Served, chromium: Any) -> None:
    """One that is backed up to a cloud is on no one device; fails when the flag is not asked for."""
    browser = opened(chromium, defaultBackupEligibility=True, defaultBackupState=True)
    try:
        browser.page.goto(served.register)
        assert "can be copied to other devices" in browser.press("#register")
    finally:
        browser.page.context.close()
