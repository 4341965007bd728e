"""An alliance whose member ALFA runs a gate: one admitted release, one mandate, approvers at the other members.

Made once per run in a template folder; each test gets a copy of it, so that it can break what it likes. DELTA is run by
BRAVO's operator: two members, one operator.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, STANDING, Alliance, make_alliance
from devices import Device

from watchword import node
from watchword.errors import WatchwordError
from watchword.gate import Answer, Gate, approval_fields, mandate_fields, new_action, parse_request
from watchword.gate.mandate import Draft
from watchword.node import Node
from watchword.policy.admission import admit
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock, rfc3339

ALONE = ("ALFA",)
"""An alliance of one, whose single commander approves: quick to copy and to open."""

FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where folders are quick to make: what syncing does to a real disk is the ledger's to test."""

NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA")
DEVICES = {name: Device(f"https://gate.{name.lower()}.example") for name in NAMES}
"""The passkey of each member's commander, at his own member's page."""
CARDS = {name: Device(None) for name in NAMES}
"""And his smartcard."""
USE_CASE = {
    "format": "watchword-use-case/1", "name": "watch", "purpose": "Watch a border", "criticality": 1, "human": "in",
    "members": ["ALFA"], "owner": "ALFA", "tags": [],
}  # fmt: skip
REQUIREMENT = {
    "id": "supplier-claim", "text": "", "kind": "claim", "count": 1, "from": "supplier", "distinct": "statements",
    "where": [], "tools": 0, "max_age_days": None, "bound": [], "when": {"criticality": 0, "human": []},
    "owed_by": "supplier", "accountable": "official", "principle": ["B"], "serves": [], "waiver": None,
}  # fmt: skip
RED_LINE = {
    "id": "hidden-code", "text": "No release with dangerous code.", "accountable": "official", "principle": ["D"],
    "forbid": [{"field": "dangerous", "op": ">", "value": 0}], "evidence": None, "serves": [],
}  # fmt: skip
NOBODY = {"count": 0, "distinct": "operators", "role": ""}
TWO = {"count": 2, "distinct": "operators", "role": "commander"}
RULES = [
    {
        "id": "read", "tool": "read-mail", "args": [{"field": "folder", "op": "in", "value": ["inbox", "sent"]}],
        "approvals": NOBODY, "hold_s": 0, "quota": None, "unclean": None,
    },
    {
        "id": "sort", "tool": "label-mail", "args": [{"field": "label", "op": "any", "value": None}],
        "approvals": NOBODY, "hold_s": 0, "quota": {"count": 2, "per_s": 60}, "unclean": None,
    },
    {
        "id": "human-before-slew", "tool": "slew-camera",
        "args": [
            {"field": "target", "op": "in", "value": ["tower-12", "tower-13"]},
            {"field": "azimuth_deg", "op": "any", "value": None},
        ],
        "approvals": TWO, "hold_s": 300, "quota": None, "unclean": None,
    },
]  # fmt: skip
SLEW = {"target": "tower-12", "azimuth_deg": -47.5}
MANDATE = {
    "name": "border-watch", "valid_from": None, "valid_until": None, "hours": None, "view_max_age_s": 3600,
    "stale": {"for_s": 600, "rules": ["read"]}, "probes": None,
}  # fmt: skip


@dataclass
class Gated:
    """A copy of the template, with ALFA's node and gate open and the others opened when needed."""

    folder: Path
    clock: FixedClock
    mandate: str
    names: tuple[str, ...] = NAMES
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate = Gate(self.at("ALFA"))

    def at(self, name: str) -> Node:
        if name not in self.nodes:
            self.nodes[name] = Node.open(self.folder / name, clock=self.clock, writing=True)
        return self.nodes[name]

    def action(self, tool: str = "read-mail", args: Mapping[str, Any] | None = None, release: str = RELEASE.digest):
        return new_action(tool, dict({"folder": "inbox"} if args is None else args), release, "s1", self.clock)

    def ask(self, tool: str = "read-mail", args: Mapping[str, Any] | None = None, **how: Any) -> Answer:
        return self.gate.ask(self.action(tool, args).bytes, **how)

    def held(self) -> str:
        """The id of a fresh hold for a slew."""
        answer = self.ask("slew-camera", SLEW)
        assert answer.event == "held", answer
        return str(answer.hold)

    def approval(self, hold: str, by: str, answer: str = "approve", /, **changes: Any) -> bytes:
        """*by*'s commander's answer to a hold, signed at his own node; *changes* overwrite fields of what is signed."""
        request = parse_request(self.gate.hold_request(hold))
        subject, fields = approval_fields(request, "commander", answer)
        if "subject" in changes:
            subject = (Subject("action", changes.pop("subject")),)
        return self.sign(by, "approval", subject, fields | changes, "commander")

    def by_device(
        self, hold: str, by: str, answer: str = "approve", /, device: Device | None = None, **how: Any
    ) -> bytes:
        """The same answer by his device, under his member's gate key; *how* is told to ``Device.assertion``."""
        request = parse_request(self.gate.hold_request(hold))
        subject, fields = approval_fields(request, "commander", answer)
        charter = self.gate.node.charter.digest
        fields["assertion"] = (device or DEVICES[by]).assertion(subject[0].digest, fields, charter, **how)
        return self.sign(by, "approval", subject, fields, None)

    def approve(self, hold: str, *by: str) -> Answer:
        for name in by:
            answer = self.gate.approve(self.approval(hold, name))
        return answer

    def refused(self, envelope: bytes) -> str:
        """The reason for which the gate does not take *envelope* as an approval; nothing is recorded of it."""
        before = len(self.receipts())
        with pytest.raises(WatchwordError) as caught:
            self.gate.approve(envelope)
        assert len(self.receipts()) == before
        return caught.value.message

    def sign(
        self, by: str, kind: str, subject: tuple[Subject, ...], fields: dict[str, Any], person: str | None
    ) -> bytes:
        return node.sign_only(self.folder / by, kind, subject, fields, person=person, clock=self.clock)

    def reopen(self) -> Gate:
        """Close ALFA's node and start its gate again, as another process would."""
        self.nodes.pop("ALFA").close()
        self.gate = Gate(self.at("ALFA"))
        return self.gate

    def receipts(self) -> list[dict[str, Any]]:
        return self.at("ALFA").record_events()

    def events(self) -> list[str]:
        return [receipt["event"] for receipt in self.receipts()]

    def exchange(self, other: str = "BRAVO") -> None:
        """ALFA's news to another member and back; both cosign every head anew, which is a quorum here."""
        if len(self.names) == 1:
            return self.at("ALFA").publish(refresh=True)
        folder = self.folder / "post"
        folder.mkdir(exist_ok=True)
        for sender, to in (("ALFA", other), (other, "ALFA")):
            self.at(sender).publish(refresh=True)
            self.at(sender).export(to, folder / f"{sender}-to-{to}.wwx.json")
            self.at(to).import_bundle(folder / f"{sender}-to-{to}.wwx.json")

    def new_mandate(self, by: str = "ALFA", scope: str | list[str] = "alliance", **changes: Any) -> str:
        """Sign another mandate on the same admission, publish it and exchange; its id."""
        here = self.at(by)
        view = here.latest_view()
        admission = next(f.signed for f in here.facts(view).statements if f.signed.statement.kind == "decision")
        draft = Draft(
            MANDATE | {"rules": rules_for(self.names)} | changes, None if changes.get("valid_until") else 86_400
        )
        subject, fields = mandate_fields(draft, admission, self.clock.now())
        recorded = here.sign_and_append("mandate", subject, fields, person="commander", scope=scope)
        here.publish()
        self.exchange()
        return recorded.id

    def close(self) -> None:
        for one in self.nodes.values():
            one.close()


def rules_for(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rules of the mandate; where there is one operator, one is asked."""
    needed = TWO if len(names) > 1 else TWO | {"count": 1}
    return [rule if rule["approvals"] is NOBODY else rule | {"approvals": needed} for rule in RULES]


Prepare = Callable[[Alliance], None]


@functools.cache
def template(
    names: tuple[str, ...] = NAMES, row: str = "", prepare: Prepare = lambda _: None, browser: Device | None = None,
    official: Device | None = None,
) -> tuple[Path, datetime, str]:
    """A folder with the homes, closed; the time at which it was left; the mandate's id.

    Args:
        row: one more requirement, as JSON.
        prepare: says what that row asks for, before the admission.
        browser: one more passkey of ALFA's commander, in a browser's virtual authenticator.
        official: a passkey of ALFA's official.
    """
    devices = {name: [DEVICES[name].passkey, CARDS[name].passkey] for name in names}
    if browser is not None:
        devices["ALFA"].append(browser.passkey)
    if official is not None:
        devices["ALFA/official"] = [official.passkey]
    folder = Path(tempfile.mkdtemp(prefix="watchword-gated-", dir=FAST))
    rows = [REQUIREMENT, REQUIREMENT | json.loads(row)] if row else [REQUIREMENT]
    here = make_alliance(
        folder / "homes", names, operators={"DELTA": "BRAVO"}, requirements=rows, red_lines=[RED_LINE],
        standing=STANDING | {"waiver": ["official"], "reliance": ["official"]}, passkeys=devices,
    )  # fmt: skip
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        alfa = here.nodes["ALFA"]
        alfa.append_envelope(here.claim())
        prepare(here)
        alfa.publish()
        here.sync()
        view = alfa.latest_view()
        admission = admit(
            here.charter_file.charter, view, alfa.facts(view), rfc3339(here.clock.now()), RELEASE, USE_CASE
        )
        assert admission.admitted, admission.explanation
        decision = alfa.record_decision(admission.decision, admission.objects, person="official")
        draft = Draft(MANDATE | {"rules": rules_for(names)}, 86_400)
        subject, fields = mandate_fields(draft, alfa.locate(decision.id).signed, here.clock.now())
        mandate = alfa.sign_and_append("mandate", subject, fields, person="commander")
        alfa.publish()
        here.sync()
        here.clock.advance(60)
    finally:
        here.close()
    return folder / "homes", here.clock.now(), mandate.id


def gated(
    folder: Path,
    names: tuple[str, ...] = NAMES,
    browser: Device | None = None,
    row: str = "",
    prepare: Prepare = lambda _: None,
    official: Device | None = None,
) -> Gated:
    """A fresh copy of the template below *folder*."""
    homes, at, mandate = template(names, row, prepare, browser, official) if row or browser else template(names)
    shutil.copytree(homes, folder / "homes", symlinks=True)
    return Gated(folder / "homes", FixedClock(at), mandate, names)


@contextmanager
def gate_of(names: tuple[str, ...]) -> Iterator[Gated]:
    """A copy of the template of its own, closed and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="watchword-gate-", dir=FAST) as folder:
        one = gated(Path(folder), names)
        yield one
        one.close()


@pytest.fixture
def here() -> Iterator[Gated]:
    """A gate at ALFA, fresh for each test; three other members."""
    with gate_of(NAMES) as one:
        yield one


@pytest.fixture
def alone() -> Iterator[Gated]:
    """The same in an alliance of one: enough for whatever does not need another member."""
    with gate_of(ALONE) as one:
        yield one
