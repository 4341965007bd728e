"""An approver's desk: what lies there wastes no decision, whoever wrote it and whenever somebody pulled the plug."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from gate.gated import DEVICES, Gated

from watchword.gate import desk as desks
from watchword.gate.desk import Desk, DeskTrouble
from watchword.gate.devices import answer_by_passkey
from watchword.gate.request import approval_fields, parse_request
from watchword.statements.digests import unb64
from watchword.statements.statement import open_envelope


def laid(here: Gated, hold: str, answer: str = "approve") -> Path:
    """ALFA's commander answered on the page; the file that waits for the gate."""
    request = parse_request(here.gate.hold_request(hold))
    Desk(here.at("ALFA")).answer(request, open_envelope(here.by_device(hold, "ALFA", answer)))
    return next((here.folder / "ALFA" / "desk" / "answers").iterdir())


def test_an_answer_is_taken_once_however_often_it_lies_there(here: Gated) -> None:
    """Killed after its receipt and before it was put away: it is put away, and counts no second time."""
    hold = here.held()
    path = laid(here, hold)
    data = path.read_bytes()
    assert [one.event for one in here.gate.take_answers()] == ["approved"]
    assert not path.exists()
    path.write_bytes(data)
    here.reopen()
    assert here.gate.take_answers() == ()
    assert not path.exists() and here.events().count("approved") == 1
    assert not (here.folder / "ALFA" / "desk" / "untaken").exists()


def test_what_is_no_answer_is_kept_with_the_reason(here: Gated) -> None:
    """Rubbish, and an answer to what waits no more, stop nothing and are taken as nothing."""
    hold = here.held()
    path = laid(here, hold)
    late = path.read_bytes()
    path.with_name("rubbish.json").write_bytes(b"{}")
    here.gate.approve(here.approval(hold, "BRAVO", "refuse"))
    assert here.gate.take_answers() == ()
    reasons = [one.read_text() for one in sorted((here.folder / "ALFA" / "desk" / "untaken").iterdir())]
    assert any("waits no more: it was refused" in one for one in reasons) and len(reasons) == 2
    assert late and not path.exists()


def test_a_hold_is_one_even_where_the_page_cannot_show_it(here: Gated) -> None:
    """The record comes first: a desk that cannot be written is told, and shown at the next look."""
    folder = here.folder / "ALFA" / "desk"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder")
    answer = here.ask("slew-camera", {"target": "tower-12", "azimuth_deg": 1})
    assert answer.event == "held" and answer.reasons[-1].startswith("not on the approval page yet: ")
    assert here.events()[-1] == "held"
    folder.unlink()
    assert [hold.id for hold in here.gate.holds()] == [answer.hold]
    assert [one.hold for one in Desk(here.at("ALFA")).waiting()] == [answer.hold]


def test_what_others_call_their_gate_never_becomes_a_path(here: Gated) -> None:
    """Names of files are digests; what was written past `lay` is shown to nobody."""
    own = parse_request(here.gate.hold_request(here.held()))
    desk = Desk(here.at("BRAVO"))
    desk.lay(replace(own, gate="../../keys", hold="../gate.pem").encode())
    folder = here.folder / "BRAVO" / "desk" / "requests"
    (path,) = folder.iterdir()
    assert len(path.stem) == 32 and set(path.stem) <= set("0123456789abcdef")
    (folder / "forged.json").write_bytes(b"{}")
    assert [one.gate for one in desk.waiting()] == ["../../keys"]


def test_a_desk_has_an_end(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more requests than people could ever read; what has expired makes room."""
    monkeypatch.setattr(desks, "DESK_FILES_MAX", 1)
    own = parse_request(here.gate.hold_request(here.held()))
    desk = Desk(here.at("BRAVO"))
    desk.lay(own.encode())
    with pytest.raises(DeskTrouble, match="wait on this desk"):
        desk.lay(replace(own, hold="00000001").encode())
    here.clock.advance(301)
    desk.lay(replace(own, hold="00000001", expires="2026-01-31T13:00:00Z").encode())
    assert [one.hold for one in desk.waiting()] == ["00000001"]
    with pytest.raises(DeskTrouble, match="own gate"):
        desk.lay(replace(own, gate="BRAVO").encode())


def test_an_answer_is_held_by_no_more_than_its_mandate(here: Gated) -> None:
    """A mandate of narrow scope: the page's answer has that scope, instead of being refused as too wide."""
    here.new_mandate(scope=["ALFA", "BRAVO"])
    request = parse_request(here.gate.hold_request(here.held()))
    subject, fields = approval_fields(request, "commander", "approve")
    device, alfa = DEVICES["ALFA"], here.at("ALFA")
    given = device.assertion(subject[0].digest, fields, alfa.charter.digest)
    parts = {name: unb64(given[name]) for name in ("authenticator_data", "client_data", "signature")}
    signed = answer_by_passkey(alfa, request, "approve", str(device.origin), given["credential"], parts)
    assert signed.statement.predicate["scope"] == ["ALFA", "BRAVO"]
    assert here.gate.approve(signed.envelope).event == "approved"
