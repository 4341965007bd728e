"""The console's pages: server time of each, on a node that holds thousands of statements."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.table import Row
from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.node import Node
from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.statements.digests import DJ, D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock, rfc3339
from watchword.web.console.access import Reader
from watchword.web.console.door import Console
from watchword.web.console.sheets import SHEETS

RELEASES = 500
RUNS = 5
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""What syncing costs is the disk's to answer, and stands in benchmarks.ledger."""
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORIGIN = "http://localhost:8440"
INSPECTION: dict[str, Any] = {
    "tool": {"name": "benchmark", "version": "1", "rules": "none"}, "verdict": "nothing-found", "files": 1, "bytes": 1,
    "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
}  # fmt: skip
EVALUATION: dict[str, Any] = {
    "tool": {"name": "benchmark", "version": "1"}, "method": "none",
    "threat": {"goal": "", "knowledge": "", "capability": ""}, "metric": "attack-success-rate", "n": 100, "k": 3,
    "low": "0.006", "high": "0.085", "seed": "1", "data": None, "plan": None, "drawn": None, "environment": None,
    "cpu_s": None, "flags": None, "report": None,
}  # fmt: skip
INCIDENT: dict[str, Any] = {
    "reason": "none", "severity": "low", "began": "2026-06-01T11:00:00Z", "found": "2026-06-01T11:00:00Z",
    "ended": None, "actions": [], "findings": [], "techniques": [], "done": [], "text": "", "supersedes": None,
}  # fmt: skip
CASE: dict[str, Any] = {
    "format": "watchword-use-case/1", "name": "benchmark", "purpose": "", "criticality": 1, "human": "in",
    "members": ["ALFA"], "owner": "ALFA", "tags": [],
}  # fmt: skip


def run() -> list[Row]:
    """CPU milliseconds of the slowest page and twin, median of RUNS; and of the first page after anything came."""
    with tempfile.TemporaryDirectory(dir=FAST) as name:
        here = _made(Path(name))
        with Node.open(here, clock=FixedClock(NOON)) as opened:
            console = Console(opened, ORIGIN)
            cookie = f"watchword={console.access.begin(Reader('ALFA', 'official', 'passkey'))}"
            first = _ms(console, "/console/status", cookie)
            known = console.known()
            decision = next(one for one in known.placed if one.statement.kind == "decision").statement
            evaluation = next(one for one in known.placed if one.statement.kind == "evaluation").statement
            incident = next(one for one in known.placed if one.statement.kind == "incident").statement
            special = {"/evaluations/{id}": evaluation.id, "/incidents/{id}": incident.id}
            measured = {}
            for sheet in SHEETS:
                charter = opened.charter.digest
                filled = sheet.path.format(
                    digest=charter if sheet.path.startswith("/charters") else decision.subject[0].digest, other=charter,
                    use=DJ(CASE), id=special.get(sheet.path, decision.id),
                    member="ALFA", supplier="AQUILA",
                )  # fmt: skip
                for path in (f"/console{filled}", f"/console{filled}.json"):
                    _ms(console, path, cookie)
                    measured[path] = statistics.median(_ms(console, path, cookie) for _ in range(RUNS))
            count = len(known.placed)
    slowest = max(measured, key=lambda path: measured[path])
    what = f"console, {count:,} statements on {RELEASES:,} releases"
    note = f"slowest of {len(measured)}: {slowest[:40]}; without the disk's sync of each look; median of {RUNS}"
    return [
        Row(f"{what}: slowest page", measured[slowest], "CPU ms", "≤ 150 CPU ms", measured[slowest] <= 150, note=note),
        Row(f"{what}: median page", statistics.median(measured.values()), "CPU ms", note="pages and twins alike"),
        Row(f"{what}: first page", first, "CPU ms", note="everything read from disk, once for each state of it"),
    ]


def _made(folder: Path) -> Path:
    """ALFA's home, closed: an inspection and an evaluation of each release, a decision on a hundred of them."""
    people = {"official": ["official"], "evaluator": ["evaluator"]}
    member = node.create(folder / "ALFA", "ALFA", "ALFA", people, "alfa.example", None)
    supplier = node.create_supplier(folder / "AQUILA", "AQUILA", "security@aquila.example", None)
    pack, clock = read_pack(), FixedClock(NOON)
    charter = parse_charter(
        draft(
            "Benchmark", [member], [supplier], requirements=pack.requirements, red_lines=pack.red_lines,
            standing=pack.standing, secret=b"\x5a" * 32, made=rfc3339(NOON),
        )
    )  # fmt: skip
    file = CharterFile(charter, (node.ratify(folder / "ALFA", charter, clock)[1],))
    node.adopt(folder / "ALFA", file, b"\x5a" * 32, clock)
    with Node.open(folder / "ALFA", clock=clock, writing=True) as here:
        here.publish()
        for number in range(RELEASES):
            subject = (Subject(f"system {number:05} 1.0", D(str(number).encode())),)
            here.sign_and_append("inspection", subject, INSPECTION)
            here.sign_and_append("evaluation", subject, EVALUATION)
        target = f"release:{D(b'0')}"
        here.sign_and_append("incident", (Subject("notice", D(target.encode())),), INCIDENT | {"target": target})
        here.publish()
        view = here.latest_view()
        facts = here.facts(view)
        for number in range(0, RELEASES, RELEASES // 100):
            subject = (Subject(f"system {number:05} 1.0", D(str(number).encode())),)
            made = admit(charter, view, facts, rfc3339(NOON), subject[0], CASE)
            here.record_decision(made.decision, made.objects)
        here.publish()
    return folder / "ALFA"


def _ms(console: Console, path: str, cookie: str) -> float:
    headers = [(b"host", b"localhost:8440"), (b"cookie", cookie.encode())]
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 8440), "scheme": "http",
        "http_version": "1.1",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer() -> float:
        begun = time.process_time()
        await console(scope, receive, send)
        return 1000 * (time.process_time() - begun)

    spent = asyncio.run(answer())
    if sent[0]["status"] != 200:
        raise RuntimeError(f"{path}: {sent[0]['status']} {sent[1]['body'][:300]!r}")
    return spent
