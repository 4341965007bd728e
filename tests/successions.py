"""One charter follows another, in an alliance of four: what tests of closed, renewed and put back ledgers share."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from alliance import RELEASE, SECRET, Alliance, make_alliance, quick_disk

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import successor
from watchword.charter.lint import lint
from watchword.node import Node
from watchword.policy.admission import admit
from watchword.statements.times import rfc3339

VERIFY = Path(__file__).resolve().parents[1] / "verify.py"
NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA")
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""The root of a tree without leaves, in base64."""
ROW: dict[str, Any] = {
    "id": "inspected", "text": "inspected", "kind": "inspection", "count": 1, "from": "member", "distinct": "operators",
    "where": [], "tools": 0, "max_age_days": None, "bound": [{"field": "dangerous", "op": "==", "value": 0}],
    "when": {"criticality": 0, "human": []}, "owed_by": "members", "accountable": "board", "principle": [],
    "serves": [], "waiver": None,
}  # fmt: skip
USE = {
    "format": "watchword-use-case/1", "name": "mail", "purpose": "sort mail", "criticality": 1, "human": "in",
    "members": ["ALFA"], "owner": "ALFA", "tags": [],
}  # fmt: skip


def make_four(folder: Path) -> Alliance:
    """Four members that have exchanged; one requirement; their nodes closed."""
    with quick_disk():
        made = make_alliance(folder, NAMES, requirements=[ROW])
        made.sync()
        made.close()
        return made


def follow(alliance: Alliance, parties: list[dict[str, Any]], by: tuple[str, ...] = NAMES, **how: Any) -> CharterFile:
    """The charter that follows the one in force, with these enrolments, ratified by *by*."""
    alliance.close()
    value = successor(alliance.charter_file.charter, parties, [], made=rfc3339(alliance.clock.now()), **how)
    charter = parse_charter(value)
    assert [one for one in lint(charter) if one.fatal] == []
    made = tuple(node.ratify(alliance.home(name), charter, alliance.clock)[1] for name in by)
    return CharterFile(charter, made)


def adopt(alliance: Alliance, file: CharterFile, names: tuple[str, ...] = NAMES) -> None:
    alliance.close()
    alliance.nodes = {}
    for name in names:
        node.adopt(alliance.home(name), file, SECRET, alliance.clock)
        alliance.nodes[name] = Node.open(alliance.home(name), clock=alliance.clock, writing=True)
    alliance.charter_file = file


def decided(alliance: Alliance, name: str) -> dict[str, Any]:
    here = alliance.nodes[name]
    view = here.latest_view()
    return admit(here.charter, view, here.facts(view), rfc3339(alliance.clock.now()), RELEASE, USE).decision


def put_back(alliance: Alliance, name: str, to: Path) -> None:
    """The whole node of *name*, head store and all, as it was when *to* was copied."""
    alliance.nodes[name].close()
    shutil.rmtree(alliance.home(name))
    shutil.copytree(to, alliance.home(name))
    alliance.nodes[name] = Node.open(alliance.home(name), clock=alliance.clock, writing=True)


def snapshot(alliance: Alliance, name: str, to: Path) -> Path:
    alliance.nodes[name].close()
    shutil.copytree(alliance.home(name), to)
    alliance.reopen(name)
    return to


def review(text: str) -> dict[str, Any]:
    return {"of": "legal", "outcome": "in favour", "text": text, "report": None}


def refused(folder: Path, charter: CharterFile, proof: bytes) -> str:
    """Why verify.py refuses a proof."""
    (folder / "charter.json").write_bytes(charter.encode())
    (folder / "proof.json").write_bytes(proof)
    command = [sys.executable, "-I", str(VERIFY), "charter.json", "proof.json", "--at", "2026-01-31T12:00:00Z"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    return done.stdout


def verified(folder: Path, charter: CharterFile, proof: bytes, former: CharterFile) -> dict[str, Any]:
    """What verify.py says of a proof, run as an auditor runs it."""
    files = {"charter.json": charter.encode(), "former.json": former.encode(), "proof.json": proof}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = [sys.executable, "-I", str(VERIFY), "charter.json", "proof.json", "--former", "former.json"]
    done = subprocess.run(
        [*command, "--format", "json", "--at", "2026-01-31T12:00:00Z"], cwd=folder, capture_output=True, check=False
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, told
    return told
