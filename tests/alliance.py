"""A whole alliance in temporary folders: real homes, real keys, real files carried between them, one clock for all.

``make_alliance(tmp_path / "alliance")`` gives five members whose people are called by their roles (``official``,
``evaluator``, ``commander``, ``steward``), and the supplier AQUILA. Keys are unencrypted, so that tests are quick.
Nothing else differs from an alliance of people who type the commands.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.quick_disk import quick_disk as quick_disk
from charters import UNQUERIED

from watchword import node
from watchword.charter.charter import Charter, CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.node import Node, Recorded
from watchword.statements.digests import D
from watchword.statements.keys import SigningKey
from watchword.statements.passkeys import Passkey
from watchword.statements.statement import Subject, make, sign
from watchword.statements.times import FixedClock, rfc3339

NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROLES = ("official", "evaluator", "commander", "steward")
SECRET = b"\x5a" * 32
STANDING: dict[str, list[str]] = {
    "ratification": ["root"],
    "claim": ["supplier"],
    "inspection": ["evaluator"],
    "bill-of-materials": ["evaluator", "supplier"],
    "data-screening": ["evaluator", "steward"],
    "plan": ["evaluator"],
    "evaluation": ["evaluator"],
    "opinion": ["evaluator"],
    "review": ["official"],
    "endpoint": ["evaluator"],
    "reply": ["supplier", "official"],
    "marking": ["official", "steward", "supplier"],
    "decision": ["official"],
    "mandate": ["commander"],
    "tool-cards": ["commander"],
    "approval": ["commander", "gate"],
    "endorsement": ["commander"],
    "stop": ["commander", "official"],
    "record-head": ["gate"],
    "oversight": ["commander"],
    "probe-plan": ["commander", "official"],
    "equivocation": ["gate"],
    "recall": ["official", "supplier"],
    "retract": ["official", "evaluator", "steward", "commander", "supplier"],
    "dispute": ["evaluator", "official"],
    "incident": ["official", "commander", "evaluator", "supplier"],
    "revoke": ["root"],
    "take-back": ["official"],
    "recall-answer": ["official"],
    "spill": ["official", "steward"],
    "caveat": ["official"],
    "lift": ["official"],
}
RELEASE = Subject("mailsort 1.0", "sha256:" + "9c" * 32)
CLAIM: dict[str, Any] = {
    "system": "mailsort",
    "release": "1.0",
    "supplier_contact": "security@aquila.example",
    "trained_on": [{"name": "public mail, 2024", "digest": None}],
    "tested": [],
    "known_weaknesses": [],
    "support_until": None,
}
MAIL: dict[str, Any] = {
    "format": "watchword-use-case/1", "name": "mail", "purpose": "", "criticality": 0, "human": "on",
    "members": [], "owner": "ALFA", "tags": [],
}  # fmt: skip
"""The least of a use case."""


@dataclass
class Alliance:
    """Members' homes and open, writing nodes by name; suppliers' homes by name."""

    folder: Path
    clock: FixedClock
    charter_file: CharterFile
    nodes: dict[str, Node]
    suppliers: dict[str, Path] = field(default_factory=dict)
    secret: bytes = SECRET

    def home(self, name: str) -> Path:
        return self.folder / name

    def carry(self, sender: str, to: str) -> Any:
        """One file from *sender* to *to*."""
        path = self.folder / "post" / f"{sender}-to-{to}.wwx.json"
        path.parent.mkdir(exist_ok=True)
        self.nodes[sender].export(to, path)
        return self.nodes[to].import_bundle(path)

    def sync(self, rounds: int = 2, among: Iterable[str] = ()) -> None:
        """Rounds of file exchange: all write, then all read. After two, everybody holds every cosignature."""
        folder = self.folder / "post"
        folder.mkdir(exist_ok=True)
        names = list(among) or list(self.nodes)
        for _ in range(rounds):
            pairs = [(a, b) for a in names for b in names if a != b]
            for a, b in pairs:
                self.nodes[a].export(b, folder / f"{a}-to-{b}.wwx.json")
            for a, b in pairs:
                self.nodes[b].import_bundle(folder / f"{a}-to-{b}.wwx.json")

    def reopen(self, name: str, *, writing: bool = True) -> Node:
        """Close a node and open its home again, as another process would."""
        self.nodes[name].close()
        self.nodes[name] = Node.open(self.home(name), clock=self.clock, writing=writing)
        return self.nodes[name]

    def claim(self, supplier: str = "AQUILA", subject: Subject = RELEASE, **changes: Any) -> bytes:
        """The envelope of a supplier's claim."""
        return node.sign_only(
            self.suppliers[supplier], "claim", (subject,), CLAIM | changes, clock=self.clock, scope="public"
        )

    def recall(self, by: str, target: str, reason: str = "payload found", **how: Any) -> Recorded:
        """*by*'s official recalls *target* (a name, such as ``release:sha256:…``)."""
        fields = {"target": target, "reason": reason, "actions": [], "deadline": None, **UNQUERIED}
        return self.nodes[by].sign_and_append("recall", notice_subject(target), fields, **how)

    def close(self) -> None:
        for one in self.nodes.values():
            one.close()


def notice_subject(target: str) -> tuple[Subject]:
    """The subject that a notice against *target* has."""
    return (Subject("notice", D(target.encode())),)


def inspection(verdict: str = "nothing-found", *, tool: str = "watchword", dangerous: int = 0) -> dict[str, Any]:
    """The fields of an inspection."""
    return {
        "tool": {"name": tool, "version": "0.1.0", "rules": "sha256:" + "11" * 32},
        "verdict": verdict,
        "files": 3,
        "bytes": 4096,
        "dangerous": dangerous,
        "suspicious": 0,
        "unreadable": 0,
        "findings": [],
        "report": None,
    }


def make_alliance(
    folder: Path,
    names: Sequence[str] = NAMES,
    suppliers: Sequence[str] = ("AQUILA",),
    clock: FixedClock | None = None,
    *,
    operators: Mapping[str, str] | None = None,
    requirements: Sequence[dict[str, Any]] = (),
    red_lines: Sequence[dict[str, Any]] = (),
    standing: Mapping[str, list[str]] = STANDING,
    passkeys: Mapping[str, Sequence[Passkey]] = MappingProxyType({}),
    **drafted: Any,
) -> Alliance:
    """Create homes, draft and ratify a charter, adopt it everywhere, publish empty ledgers. Nothing is exchanged yet.

    Args:
        operators: who runs a member's keys, where it is not the member itself.
        passkeys: devices of a member's commander, by its name; of another person by ``ALFA/official``.
        drafted: ``faulty``, ``witness``, ``ratify``, ``head_max_age_s`` of ``charter.draft``.
    """
    clock = clock or FixedClock(NOON)
    folder.mkdir(exist_ok=True)
    people = {role: [role] for role in ROLES}
    members = [
        node.create(folder / name, name, (operators or {}).get(name, name), people, f"{name.lower()}.example", None)
        for name in names
    ]
    for number, name in enumerate(names):
        for person in ROLES:
            for passkey in passkeys.get(name if person == "commander" else f"{name}/{person}", ()):
                node.add_passkey(folder / name, person, passkey)
            members[number] = node.enrolment(folder / name)
    supplying = [
        node.create_supplier(folder / name, name, f"security@{name.lower()}.example", None) for name in suppliers
    ]
    value = draft(
        "Test Alliance",
        members,
        supplying,
        requirements=list(requirements),
        red_lines=list(red_lines),
        standing=dict(standing),
        secret=SECRET,
        made=rfc3339(clock.now()),
        **drafted,
    )
    charter = parse_charter(value)
    ratifications = tuple(node.ratify(folder / name, charter, clock)[1] for name in names)
    file = CharterFile(charter, ratifications)
    nodes = {}
    for name in names:
        node.adopt(folder / name, file, SECRET, clock)
        nodes[name] = Node.open(folder / name, clock=clock, writing=True)
        nodes[name].publish()
    return Alliance(folder, clock, file, nodes, {name: folder / name for name in suppliers})


def ratification_by(name: str, key: SigningKey, charter: Charter, clock: FixedClock) -> bytes:
    """What a member with no scruples signs: a ratification that its own node would refuse."""
    fields = {"version": charter.version, "parent": charter.parent, "effective": charter.effective}
    subject = (Subject(f"charter {charter.version}", charter.digest),)
    return sign(make("ratification", subject, fields, issuer=name, made=clock.now()), key)


def copy_alliance(template: Alliance, folder: Path) -> Alliance:
    """An alliance that begins where *template* stands, in a folder of its own: much quicker than making one."""
    shutil.copytree(template.folder, folder)
    clock = FixedClock(template.clock.now())
    nodes = {name: Node.open(folder / name, clock=clock, writing=True) for name in template.nodes}
    suppliers = {name: folder / name for name in template.suppliers}
    return Alliance(folder, clock, template.charter_file, nodes, suppliers)
