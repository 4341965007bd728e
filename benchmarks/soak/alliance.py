"""The alliance of a soak: members with homes, one release that each gate's owner admitted, and a mandate for it.

Made in one process, quickly: the homes have exchanged everything once, and every head is cosigned by all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.gate.mandate import Draft, mandate_fields
from watchword.node import Node
from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import SystemClock, rfc3339

NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT", "GOLF", "HOTEL", "INDIA", "JULIETT")
RELEASE = Subject("sorter 1.0", D(b"the release that the soak's agents are"))
TARGET = f"release:{RELEASE.digest}"
SUBJECTS, RESOURCES = ("agent-1", "agent-2", "agent-3"), ("record-1", "record-2")
VIEW_MAX_AGE_S = 3_600
REQUIREMENT: dict[str, Any] = {
    "id": "reviewed", "text": "", "kind": "review", "count": 1, "from": "member", "distinct": "operators",
    "where": [], "tools": 0, "max_age_days": None, "bound": [], "when": {"criticality": 0, "human": []},
    "owed_by": "member", "accountable": "official", "principle": ["A"], "serves": [], "waiver": None,
}  # fmt: skip
RULE: dict[str, Any] = {
    "id": "read", "tool": "read", "approvals": {"count": 0, "distinct": "operators", "role": ""}, "hold_s": 0,
    "quota": None, "unclean": None,
    "args": [
        {"field": "subject_type", "op": "==", "value": "agent"},
        {"field": "subject_id", "op": "in", "value": list(SUBJECTS)},
        {"field": "resource_type", "op": "==", "value": "record"},
        {"field": "resource_id", "op": "in", "value": list(RESOURCES)},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Founded:
    """Where the homes lie by member, who has a gate, and the mandate of each."""

    homes: dict[str, Path]
    gates: tuple[str, ...]
    mandates: dict[str, str]
    file: CharterFile


def found(homes: dict[str, Path], gates: tuple[str, ...]) -> Founded:
    """Make the homes at these places; *gates* admit the release and mandate it."""
    clock, secret, pack = SystemClock(), os.urandom(32), read_pack(None)
    people = {role: [role] for role in ("official", "evaluator", "commander", "steward")}
    enrolments = [node.create(home, one, one, people, f"{one.lower()}.example", None) for one, home in homes.items()]
    charter = parse_charter(
        draft(
            "The soak", enrolments, [], requirements=[REQUIREMENT], red_lines=[], standing=pack.standing,
            secret=secret, made=rfc3339(clock.now()),
        )
    )  # fmt: skip
    file = CharterFile(charter, tuple(node.ratify(home, charter, clock)[1] for home in homes.values()))
    for home in homes.values():
        node.adopt(home, file, secret, clock)
    nodes = {name: Node.open(home, writing=True) for name, home in homes.items()}
    try:
        for name in gates:
            review = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
            nodes[name].sign_and_append("review", (RELEASE,), review)
        _everybody_knows(nodes, next(iter(homes.values())).parent)
        mandates = {name: _mandated(nodes[name]) for name in gates}
        _everybody_knows(nodes, next(iter(homes.values())).parent)
    finally:
        for one in nodes.values():
            one.close()
    return Founded(homes, gates, mandates, file)


def _everybody_knows(nodes: dict[str, Node], folder: Path) -> None:
    """Two rounds of files: what is new, then who cosigned it."""
    path = folder / "letter.wwx.json"
    for one in nodes.values():
        one.publish()
    for _ in range(2):
        for sender, here in nodes.items():
            for name, there in nodes.items():
                if name != sender:
                    here.export(name, path)
                    there.import_bundle(path)
                    path.unlink()


def _mandated(here: Node) -> str:
    use_case = {
        "format": "watchword-use-case/1", "name": "sorting", "purpose": "", "criticality": 0, "human": "on",
        "members": [here.member], "owner": here.member, "tags": [],
    }  # fmt: skip
    view = here.latest_view()
    admission = admit(here.charter, view, here.facts(view), rfc3339(here.clock.now()), RELEASE, use_case)
    decision = here.record_decision(admission.decision, admission.objects)
    written = {
        "name": "sorting", "valid_from": None, "valid_until": None, "hours": None, "view_max_age_s": VIEW_MAX_AGE_S,
        "stale": "deny", "rules": [RULE], "probes": None,
    }  # fmt: skip
    subject, fields = mandate_fields(Draft(written, 86_400), here.locate(decision.id).signed, here.clock.now())
    recorded = here.sign_and_append("mandate", subject, fields)
    here.publish()
    return recorded.id
