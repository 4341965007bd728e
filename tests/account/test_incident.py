"""Incidents: a warning that reaches every member, ties things together, and by itself stops nothing."""

from __future__ import annotations

from typing import Any

import pytest
from alliance import RELEASE, notice_subject
from gate.gated import SLEW, Gated

from watchword.account.trace import trace
from watchword.account.trace_page import render_text
from watchword.charter.standing import NoStanding
from watchword.errors import WatchwordError
from watchword.statements.redaction import BadDisclosure, copy_file, hide, read_copy

TARGET = f"release:{RELEASE.digest}"
SAID: dict[str, Any] = {
    "target": TARGET, "reason": "a camera turned without need", "severity": "high", "began": "2026-01-31T12:00:00Z",
    "found": "2026-01-31T12:01:00Z", "ended": None, "actions": [], "findings": [], "techniques": ["AML.T0051@5.6.0"],
    "done": ["12:02 the watch took over by hand"], "text": "An open web page told it to look away.",
    "supersedes": None,
}  # fmt: skip


def test_an_incident_ties_actions_and_findings_and_its_trace_leads_to_both(here: Gated) -> None:
    """From the incident to the act and to whoever let it go; from the release to the incident."""
    alfa = here.at("ALFA")
    hold = here.held()
    action = here.gate.holds()[0].action.digest
    claim = next(one for one in alfa.statements() if one.statement.kind == "claim").statement.id
    fields = SAID | {"actions": [{"action": action, "gate": "ALFA"}], "findings": [{"statement": claim, "rule": None}]}
    id = alfa.sign_and_append("incident", notice_subject(TARGET), fields, person="commander").id
    found = trace(alfa, id)
    roles = {(link.role, link.below) for link in found.links if link.above == f"statement:{id}"}
    assert roles == {
        ("against", TARGET), ("acted", f"action:{action}"), ("found", f"statement:{claim}"),
        ("technique", "technique:AML.T0051@5.6.0"),
    }  # fmt: skip
    assert f"statement:{here.mandate}" in {part.key for part in found.parts} and hold
    assert f"statement:{id}" in {part.key for part in trace(alfa, claim, forward=True).parts}


def test_a_gate_goes_on_after_an_incident_and_every_page_tells_of_it(here: Gated) -> None:
    """A warning, not a recall: it is listed where it is held, from any channel. Fails when an incident counts as bad
    news."""
    alfa, bravo = here.at("ALFA"), here.at("BRAVO")
    said = alfa.sign("incident", notice_subject(TARGET), SAID, person="commander")
    bravo.take_loose(said.envelope)
    assert [one.statement.kind for one in bravo.facts(bravo.latest_view()).loose] == ["incident"]
    alfa.take_loose(said.envelope)
    assert here.ask("slew-camera", SLEW).event == "held"
    assert here.ask().event == "permitted"


def test_fields_left_out_stay_verifiable_for_those_who_have_them(here: Gated) -> None:
    """Everybody reads that it happened; who was handed the rest can prove it is the same. Fails when a changed field
    passes."""
    alfa = here.at("ALFA")
    fields, hidden = hide("incident", SAID, ["text", "done"])
    recorded = alfa.sign_and_append("incident", notice_subject(TARGET), fields, person="commander")
    here.exchange()
    theirs = here.at("BRAVO").locate("ALFA/notices#0").signed.statement
    assert (theirs.id, theirs.predicate["severity"]) == (recorded.id, "high")
    assert "look away" not in theirs.payload.decode()
    file = copy_file(recorded.envelope, hidden)
    signed, shown = read_copy(file, "incident.json")
    assert signed.statement.id == recorded.id
    assert {one.name: one.value for one in shown} == {"text": SAID["text"], "done": SAID["done"]}
    with pytest.raises(BadDisclosure, match="does not commit to"):
        read_copy(file.replace(b"look away", b"look there"), "incident.json")
    assert "technique: AML.T0051@5.6.0" in render_text(trace(alfa, recorded.id))


def test_what_an_incident_must_say_cannot_be_hidden_or_left_out(here: Gated) -> None:
    """Target, title, severity and times are everybody's; nobody else's word passes for one."""
    with pytest.raises(BadDisclosure, match="severity cannot be made redactable"):
        hide("incident", SAID, ["severity"])
    alfa = here.at("ALFA")
    for change in ({"severity": "odd"}, {"began": "yesterday"}, {"ended": "2026-13-01T00:00:00Z"}, {"more": 1}):
        with pytest.raises(WatchwordError):
            alfa.sign("incident", notice_subject(TARGET), SAID | change, person="commander")
    with pytest.raises(NoStanding):
        alfa.sign("incident", notice_subject(TARGET), SAID, person="steward")
