"""Pages of the console that ask more than a list: exposure, incidents, positions, and handing a statement in."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from alliance import RELEASE, notice_subject
from charters import signed
from decisions import FIELDS
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
from web.consoled import GUEST, ORIGIN, WRITER, Answer, Consoled, consoled

from watchword.errors import WatchwordError
from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.node import Node
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64
from watchword.statements.redaction import copy_file, hide
from watchword.web.console.forms import fields_of
from watchword.web.console.sheets import SHEETS
from watchword.web.console.table import NotSo

BY_PATH = {one.path: one for one in SHEETS}
POSITIONS = Path(__file__).parents[2] / "docs" / "practice" / "positions"
TARGET = f"release:{RELEASE.digest}"
INCIDENT: dict[str, Any] = {
    "target": TARGET, "reason": "a camera turned without need", "severity": "high", "began": "2026-01-31T12:00:00Z",
    "found": "2026-01-31T12:01:00Z", "ended": None, "actions": [], "findings": [], "techniques": ["AML.T0051@5.6.0"],
    "done": ["12:02 the watch took over by hand"], "text": "An open web page told it to look away.",
    "supersedes": None,
}  # fmt: skip
SAID: dict[str, Any] = {"target": TARGET, "reason": "found", "actions": [], "deadline": None, "supersedes": None}
RECALL = SAID | {"directive": None, "severity": "urgent", "versions": [], "alternatives": []}


# -- exposure ------------------------------------------------------------------------------------------


def billed(alfa: Node) -> None:
    alfa.sign_and_append("bill-of-materials", (RELEASE,), FIELDS["bill-of-materials"], person="evaluator")
    alfa.publish()


def filled(console: Consoled) -> None:
    """A catalog is made, as ``watchword catalog update`` makes it."""
    from watchword.catalog.database import open_catalog
    from watchword.node.cataloguing import bring_up, place_of

    catalog = open_catalog(place_of(console.node.home))
    bring_up(console.node, catalog)
    catalog.close()


def test_exposure_names_the_uses_that_stop_and_the_fewest_things_that_stop_them() -> None:
    """Read from the catalog; a package without version means every one; the address is permanent."""
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    with consoled(billed) as console:
        console.sign_in()
        filled(console)
        digest = "sha256:" + "0a" * 32
        for of in ("pkg:generic/numpy", "numpy", "component:pkg:generic/numpy@2.2", "mailsort-base", digest):
            twin = console.get(f"/exposure.json?of={quote(of)}").json
            assert [(one["use"], one["verdict"]) for one in twin["hit"]["uses"]] == [("watch", "admitted")], of
            assert twin["hit"]["stopped"] == 1 and twin["verdict"] == f"{of}: 1 releases are hit, 1 admitted uses stop"
        page = console.get("/exposure?of=pkg:generic/numpy").text
        assert "HIT" in page and "numpy 2.2" in page and "/console/exposure.json?of=pkg:generic/numpy" in page
        few = console.get("/exposure.json?stops=1").json["few"]
        assert (few["exact"], few["stopped"], len(few["things"])) == (True, 1, 1)
        assert console.get("/exposure.json?stops=2").json["trouble"].startswith("1 admitted uses hang on")
        trouble = console.get("/exposure.json?of=pkg:generic/torch").json["trouble"]
        assert trouble == "pkg:generic/torch: nothing on record is called so"
        console.same_as_twin(BY_PATH["/exposure"], "/exposure")
        console.cookie, console.certificate = "", GUEST
        assert console.get("/exposure?of=numpy").status == 401


def test_exposure_takes_in_what_came_since_the_catalog_was_made() -> None:
    """The catalog is brought up before it is read; one of another charter is left alone, and says so."""
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    with consoled() as console:
        console.sign_in()
        assert console.get("/exposure.json?of=numpy").json["trouble"] == "this node has no catalog"
        filled(console)
        assert console.get("/exposure.json?of=numpy").json["hit"] is None
        with Node.open(console.node.home, clock=console.here.clock, writing=True) as writing:
            billed(writing)
        assert console.get("/exposure.json?of=numpy").json["hit"]["releases_total"] == 1
        import sqlite3

        with sqlite3.connect(console.node.home / "catalog.db") as file:
            file.execute("UPDATE meta SET value = 'sha256:00' WHERE name = 'charter'")
        console.node.take_loose(console.here.sign("BRAVO", "recall", notice_subject(TARGET), RECALL, "official"))
        found = console.get("/exposure.json?of=numpy").json
        assert "is to be filled anew" in found["trouble"] and found["hint"] == "watchword catalog update"


# -- incidents -----------------------------------------------------------------------------------------


def test_an_incident_ties_acts_findings_and_techniques_and_says_who_was_warned() -> None:
    """The page leads to each; what was left out says so to others; a later one supersedes and both stay listed."""

    def prepare(alfa: Node) -> None:
        claim = next(one.statement.id for one in alfa.statements() if one.statement.kind == "claim")
        said = INCIDENT | {
            "actions": [{"action": "sha256:" + "0e" * 32, "gate": "ALFA"}],
            "findings": [{"statement": claim, "rule": "pickle-call"}],
        }
        fields, hidden = hide("incident", said, ["text"])
        alfa.bodies.put_many((one.salt, one.body) for one in hidden)
        first = alfa.sign_and_append("incident", notice_subject(TARGET), fields, person="commander")
        again = INCIDENT | {"supersedes": first.id, "reason": "a camera turned twice"}
        alfa.sign_and_append("incident", notice_subject(TARGET), again, person="commander")
        alfa.publish()

    with consoled(prepare) as console:
        console.sign_in()
        rows = console.same_as_twin(BY_PATH["/incidents"], "/incidents").json["incidents"]
        by = {one["reason"]: one for one in rows}
        first, second = by[INCIDENT["reason"]], by["a camera turned twice"]
        assert (first["superseded"], second["superseded"]) == (True, False)
        twin = console.same_as_twin(BY_PATH["/incidents/{id}"], f"/incidents/{first['id']}").json
        assert twin["text"] == INCIDENT["text"] and twin["techniques"] == ["AML.T0051@5.6.0 LLM Prompt Injection"]
        assert [one["whose"] for one in twin["actions"]] == ["gate of ALFA"]
        assert [(one["what"], one["whose"]) for one in twin["findings"]] == [("pickle-call", "AQUILA")]
        assert {one["member"] for one in twin["warned"] if not one["reached"]} == {"BRAVO", "CHARLIE", "DELTA"}
        assert console.ask("GET", twin["findings"][0]["address"]).status == 200
        console.cookie, console.certificate = "", GUEST
        guest = console.get(f"/incidents/{first['id']}.json").json
        assert guest["text"] == "(redacted)" and guest["warned"] == [] and guest["trace"] is None
        assert console.get(f"/incidents/{RELEASE.digest}").status == 404


def test_a_member_whose_witness_cosigned_it_was_warned(console: Consoled) -> None:
    """What was exchanged is known to have arrived; of the others nothing is known."""
    alfa = console.here.at("ALFA")
    id = alfa.sign_and_append("incident", notice_subject(TARGET), INCIDENT, person="commander").id
    alfa.publish()
    console.here.exchange("BRAVO")
    console.sign_in()
    warned = {one["member"]: one["reached"] for one in console.get(f"/incidents/{id}.json").json["warned"]}
    assert warned["BRAVO"] and not warned["CHARLIE"]


def test_an_incident_received_directly_is_listed(console: Consoled) -> None:
    """It counts from any channel; it stands in no ledger, and the page says so."""
    envelope = console.here.sign("BRAVO", "incident", notice_subject(TARGET), INCIDENT, "commander")
    id = console.node.take_loose(envelope).statement.id
    console.sign_in()
    twin = console.same_as_twin(BY_PATH["/incidents/{id}"], f"/incidents/{id}").json
    assert twin["row"]["where"] == "received directly" and twin["statement"] is None


# -- positions -----------------------------------------------------------------------------------------


def test_positions_kept_here_are_compared_at_a_permanent_address(console: Consoled) -> None:
    """The same object as ``charter compare --format json``; without any, the page says so."""
    console.sign_in()
    assert console.get("/positions.json").json["compared"] is None
    shutil.copytree(POSITIONS, console.node.home / "positions")
    twin = console.same_as_twin(BY_PATH["/positions"], "/positions").json
    assert twin["of"] == ["ALFA", "BRAVO", "CHARLIE"] and twin["troubles"] == []
    rows = {one["id"]: one["accepted_by"] for one in twin["compared"]["rows"]}
    assert rows["no-lone-machine"] == ["ALFA", "BRAVO"] and len(twin["compared"]["all"]["ids"]) == 19
    assert "harbour defence answers faster" in console.get("/positions").text
    (console.node.home / "positions" / "delta.toml").write_text("member = [", "utf-8")
    assert "not TOML" in console.get("/positions.json").json["troubles"][0]


def test_a_position_pasted_is_compared_and_not_kept(console: Consoled) -> None:
    """Beside the kept ones, in place of one of the same member."""
    console.sign_in()
    shutil.copytree(POSITIONS, console.node.home / "positions")
    pasted = 'member = "CHARLIE"\ntable = ["alliance"]\notherwise = "refuse"\n'
    page = console.post("/compare-positions", **{"position-1": pasted})
    assert page.status == 200 and "All 3 accept a table of 0 of 22 rows" in page.text
    assert sorted(one.name for one in (console.node.home / "positions").iterdir()) == [
        "alfa.toml", "bravo.toml", "charlie.toml",
    ]  # fmt: skip
    console.cookie, console.certificate = "", GUEST
    assert console.post("/compare-positions", **{"position-1": pasted}).status == 401


def test_a_position_pasted_reads_no_file_of_the_server(console: Consoled) -> None:
    """Its table names packs that come with watchword; a path is no pack. Seen to fail with ``find_pack``."""
    console.sign_in()
    (console.node.home / "own.toml").write_text('name = "own"\ntitle = "secret title"\n[standing]\n', "utf-8")
    for name in (str(console.node.home / "own.toml"), "../own.toml", "/etc/passwd"):
        page = console.post("/compare-positions", **{"position-1": f'member = "EVE"\ntable = ["{name}"]\n'})
        assert page.status == 200 and "no such pack" in page.text and "NOTHING" in page.text


# -- handing a statement in ----------------------------------------------------------------------------


def upload(console: Consoled, data: bytes, field: str = "file", **headers: str) -> Answer:
    """The form as a browser sends it, with a file."""
    parts = [("token", console.token.encode()), (field, data)]
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"; filename="x.json"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in parts
    )
    told = {"origin": ORIGIN, "content_type": "multipart/form-data; boundary=b"} | headers
    return console.ask("POST", "/console/act/record", body + b"--b--\r\n", **told)


def review(console: Consoled, **changes: Any) -> bytes:
    fields = {"of": "legal", "outcome": "in favour", "text": "", "report": None} | changes
    return console.here.sign("ALFA", "review", (RELEASE,), fields, "official")


def test_a_statement_signed_elsewhere_is_appended_once(console: Consoled) -> None:
    """As a file or as text, as ``ledger append`` does; given again it is the same."""
    console.as_person("commander")
    envelope = review(console)
    first = upload(console, envelope + b"\n")
    assert first.status == 303, first.text
    shown = console.ask("GET", f"{first.headers['location']}.json").json
    assert (shown["told"]["kind"], shown["told"]["issuer"], shown["told"]["counts"]) == ("review", "ALFA", True)
    again = console.post("/act/record", envelope=envelope.decode())
    assert (again.status, again.headers["location"]) == (303, first.headers["location"])
    assert console.get("/ledgers/ALFA.json?kind=review").json["paged"]["count"] == 1


def test_bad_news_of_another_member_counts_from_now_on(console: Consoled) -> None:
    """A recall goes where ``notice take`` puts it, also while another process writes this node; an incident has its
    page."""
    console.as_person("commander")
    recall = console.here.sign("BRAVO", "recall", notice_subject(TARGET), RECALL, "official")
    incident = console.here.sign("BRAVO", "incident", notice_subject(TARGET), INCIDENT, "commander")
    with Node.open(console.node.home, clock=console.here.clock, writing=True):
        assert upload(console, recall).headers["location"] == "/console/notices"
        assert upload(console, review(console)).status == 409
    assert console.get("/notices.json").json["notices"][0]["where"] == "received directly"
    assert upload(console, incident).headers["location"].startswith("/console/incidents/sha256:")


def test_what_goes_with_a_redacted_statement_is_kept(console: Consoled) -> None:
    """The copy of a statement with its disclosures."""
    console.as_person("official")
    fields, hidden = hide("incident", INCIDENT, ["text"])
    envelope = console.here.sign("ALFA", "incident", notice_subject(TARGET), fields, "commander")
    place = upload(console, copy_file(envelope, hidden)).headers["location"]
    told = {one["name"]: one["value"] for one in console.ask("GET", f"{place}.json").json["fields"]}
    assert told["text"] == INCIDENT["text"]


def changed(envelope: bytes) -> bytes:
    """Another signature of the same form."""
    at = envelope.index(b'"sig":"') + 7
    return envelope[:at] + (b"B" if envelope[at : at + 1] == b"A" else b"A") + envelope[at + 1 :]


def test_what_has_no_standing_is_refused_by_name(console: Consoled) -> None:
    """A changed byte, a role that may not say it, garbage, nothing, too much: named, and nothing is kept.

    Seen to fail with ``standing`` left out of ``append_envelope``.
    """
    console.as_person("official")
    good = review(console)
    before = console.get("/ledgers/ALFA.json").json["paged"]["count"]
    fields = {"of": "legal", "outcome": "against", "text": "", "report": None}
    payload = json.loads(base64.b64decode(json.loads(good)["payload"]))
    payload["predicate"]["made"] = "2026-13-01T00:00:00Z"
    no_time = canonical(json.loads(good) | {"payload": b64(canonical(payload))})
    stranger = signed("review", fields, "ALFA", "stranger").envelope
    for data, status, told in (
        (good.replace(b'"sig":"', b'"sig":"AAAA', 1), 409, "nothing was recorded"),
        (changed(good), 409, "nothing was recorded"), (stranger, 409, "nothing was recorded"),
        (b"{}", 400, "this is no signed statement"), (b"\xff\xfe", 400, "this is no form"),
        (b" ", 400, "no statement was given"),
        (no_time, 400, "this is no signed statement"), (b"[" * 100_000, 400, "this is no signed statement"),
        (b'{"format":"watchword-redacted/1"}', 400, "this is no signed statement"),
    ):  # fmt: skip
        answer = upload(console, data)
        assert (answer.status, told in answer.text) == (status, True), answer.text
    assert console.get("/status").status == 200
    assert upload(console, b"x" * (ENVELOPE_BYTES_MAX + 65 * 1024)).status == 413
    assert console.get("/ledgers/ALFA.json").json["paged"]["count"] == before


def test_who_only_looks_hands_nothing_in(console: Consoled) -> None:
    """A link, an ally, an old session, another site's form; strangers cannot even make the server read a large one.

    Seen to fail without ``check_present``, without ``check_form`` and without ``_room_for``.
    """
    envelope = review(console)
    assert upload(console, b"x" * (300 * 1024)).status == 413
    console.sign_in()
    assert "only to read" in console.get("/record").text
    assert upload(console, envelope).status == 403
    console.as_person("official")
    assert upload(console, envelope, origin="https://evil.example").status == 403
    assert upload(console, envelope, field="token").status == 400
    console.here.clock.advance(301)
    assert upload(console, envelope).status == 403
    console.cookie, console.certificate = "", GUEST
    assert upload(console, envelope).status == 403
    console.certificate = WRITER
    assert upload(console, envelope).status == 303


# -- the bytes of a form -------------------------------------------------------------------------------


def test_a_form_is_read_as_browsers_send_it() -> None:
    """Line ends, dashes and what looks like a boundary stay in the value; a field twice counts the first time."""
    body = (
        b'--x1\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--x\r\n--\r\n--x1\r\n'
        b'content-disposition: form-data; name="a"\r\n\r\ntwo\r\n--x1\r\n'
        b'Content-Disposition: form-data; name="f"; filename="\xc3\xa4.json"\r\nContent-Type: text/plain\r\n'
        b"\r\n\r\n--x1--\r\n"
    )
    assert fields_of('multipart/form-data; boundary="x1"', body) == {"a": "one\r\n--x\r\n--", "f": ""}
    assert fields_of("application/x-www-form-urlencoded; charset=utf-8", b"a=1&a=2&b=%26+") == {"a": "1", "b": "& "}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--b", b"--b\r\n", b"--b--", b"x--b\r\n--b--",
        b'--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n1\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
        b'--b\r\nContent-Disposition: form-data; filename="name="\r\n\r\n1\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 21 + b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes) -> None:
    """Cut off, without a name, without an end, not text, too many: named, never guessed."""
    if body == b"--b--":
        assert fields_of("multipart/form-data; boundary=b", body) == {}
        return
    with pytest.raises(NotSo):
        fields_of("multipart/form-data; boundary=b", body)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(content_type: str, body: bytes) -> None:
    """No other outcome, whatever comes."""
    for said in (content_type, "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"):
        try:
            fields_of(said, body)
        except WatchwordError as error:
            assert isinstance(error, NotSo)
