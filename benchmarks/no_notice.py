"""``verify.py`` on a no-notice proof: 8 members with 1,000 notices each, standard library only."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.table import Row
from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.ledger.leaves import Leaf
from watchword.ledger.leaves import encode as encode_leaf
from watchword.node import Node
from watchword.policy.pack import read_pack
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock, rfc3339

MEMBERS, NOTICES = 8, 1_000
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RELEASE = Subject("benchmark 1.0", D(b"benchmark"))
INSPECTION: dict[str, Any] = {
    "tool": {"name": "benchmark", "version": "1", "rules": "none"}, "verdict": "nothing-found", "files": 1, "bytes": 1,
    "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
}  # fmt: skip


def run() -> list[Row]:
    """CPU-s of one ``python -I verify.py``, and the size of the file. Every head is cosigned by all eight members."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _made(folder)
        script = Path(__file__).resolve().parent.parent / "verify.py"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-I", "-S", str(script), "charter.json", "proof.json", "--at", rfc3339(NOON)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or "no notice against" not in done.stdout:
        raise RuntimeError(done.stdout + done.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    what = f"no-notice proof, {MEMBERS} members × {NOTICES:,} notices"
    note = f"{2 * MEMBERS} heads with {2 * MEMBERS + 2} signatures each; no peer proves absence"
    return [
        Row(f"verify.py, {what}", spent, "s", "≤ 10 s", spent <= 10, note=note),
        Row(f"file, {what}", size / 1e6, "MB", "≤ 6 MB", size <= 6_000_000),
    ]


def _made(folder: Path) -> int:
    """An alliance that carried its notices to everybody, and the proof file of one release; returns its size."""
    clock, names, secret = FixedClock(NOON), [f"M{number}" for number in range(MEMBERS)], os.urandom(32)
    people = {"official": ["official", "evaluator", "commander", "steward"]}
    enrolments = [node.create(folder / n, n, n, people, f"{n.lower()}.example", None) for n in names]
    rules: dict[str, Any] = {"requirements": [], "red_lines": [], "standing": read_pack(None).standing}
    charter = parse_charter(draft("Benchmark", enrolments, [], **rules, secret=secret, made=rfc3339(NOON)))
    file = CharterFile(charter, tuple(node.ratify(folder / n, charter, clock)[1] for n in names))
    nodes = []
    for name in names:
        node.adopt(folder / name, file, secret, clock)
        nodes.append(Node.open(folder / name, clock=clock, writing=True))
        # Leaves against other names: what a reader of this proof sees of them is a commitment and a blinded name.
        entries = [encode_leaf("notices", Leaf(os.urandom(32), os.urandom(32))) for _ in range(NOTICES)]
        nodes[-1].store.own("notices").append(entries)
    nodes[0].sign_and_append("inspection", (RELEASE,), INSPECTION)
    for _ in range(2):
        for here in nodes:
            for other in nodes:
                if other is not here:
                    here.export(other.member, folder / f"{here.member}-{other.member}")
        for here in nodes:
            for other in nodes:
                if other is not here:
                    here.import_bundle(folder / f"{other.member}-{here.member}")
    data = nodes[1].make_proof((), releases=(RELEASE.digest,))
    (folder / "proof.json").write_bytes(data)
    (folder / "charter.json").write_bytes(file.encode())
    for here in nodes:
        here.close()
    return len(data)
