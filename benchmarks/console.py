"""The console's pages: server time of each, on a node that holds thousands of statements, on one that holds 100,000
bodies, and on one whose catalog holds 100,000 releases with 10,000,000 component edges.

The large catalog's rows are drawn from a seed and written straight into its tables (``benchmarks.catalog``), on top of
what the node really holds: lists, searches and exposure are asked of all of it, bodies are read of what is real.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import benchmarks.catalog as large
from benchmarks.table import Row
from watchword import node
from watchword.catalog.database import open_catalog
from watchword.catalog.schema import META, STATEMENTS
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.ledger import leaves
from watchword.node import Node
from watchword.node.cataloguing import ENVIRONMENT, bring_up, place_of
from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.statements import dsse
from watchword.statements.digests import DJ, D
from watchword.statements.statement import Subject, make
from watchword.statements.times import FixedClock, rfc3339
from watchword.web.console.access import Reader
from watchword.web.console.door import Console
from watchword.web.console.sheets import SHEETS

RELEASES = 500
CROWD = 100_000
CROWD_PART = 2_000
RUNS = 5
FIND = {"find": "system-0999", "of": "pkg:pypi/p19999@1.3.0"}
"""What is looked for where a page searches."""
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
    """CPU milliseconds of the slowest page and twin, median of RUNS; and what a status page takes."""
    with tempfile.TemporaryDirectory(dir=FAST) as name:
        here = _made(Path(name))
        rows = _measured(here, f"console, {2 * RELEASES + 101:,} statements")
    with tempfile.TemporaryDirectory(dir=FAST) as name:
        here = _made(Path(name))
        crowd(here, CROWD)
        with Node.open(here, clock=FixedClock(NOON)) as opened:
            catalog = open_catalog(place_of(here))
            bring_up(opened, catalog, anew=True)
            catalog.close()
        rows += _measured(here, f"console, {CROWD:,} statements more, with a catalog of them")
    with tempfile.TemporaryDirectory(dir=FAST) as name, tempfile.TemporaryDirectory() as disk:
        # The catalog takes half a gigabyte of disk, whose syncs are not measured.
        os.environ[ENVIRONMENT] = f"{disk}/catalog.db"
        try:
            here = _made(Path(name))
            edges = _large(here)
            return rows + _measured(here, f"console, catalog of {large.RELEASES:,} releases, {edges:,} edges")
        finally:
            del os.environ[ENVIRONMENT]


def crowd(home: Path, count: int) -> None:
    """As many more inspections in the ledger of the node in *home*, of as many other releases.

    Signing them takes four minutes for 100,000. They carry a signature of another statement instead, and are put into
    the memory of what was verified, as if it had been their own: what reads them later does the same work.
    """
    with Node.open(home, clock=FixedClock(NOON), writing=True) as here:
        signed = here.sign("inspection", (Subject("system 1.0", D(b"x")),), INSPECTION)
        signature = dsse.Signature(signed.key_id, signed.signature)
        for start in range(0, count, CROWD_PART):
            said = [
                make("inspection", (Subject(f"crowd {number:06} 1.0", D(b"crowd %d" % number)),), INSPECTION,
                     issuer="ALFA", made=NOON)
                for number in range(start, min(count, start + CROWD_PART))
            ]  # fmt: skip
            envelopes = [dsse.encode(dsse.Envelope(one.payload, dsse.IN_TOTO, (signature,))) for one in said]
            salted = [(sha256(envelope).digest(), envelope) for envelope in envelopes]
            bodies = here.bodies.put_many(salted)
            of = [leaves.leaf_of(one, at, here.secret) for one, at in zip(said, bodies, strict=True)]
            here.store.own("ledger").append([leaves.encode("ledger", leaf) for leaf in of])
            here.store.verified.add(bodies)
        here.publish()


def _large(home: Path) -> int:
    """A large catalog beside the node in *home*, which goes on from there; how many edges it has."""
    with Node.open(home, clock=FixedClock(NOON)) as opened:
        catalog = open_catalog(place_of(home))
        edges = large.write(catalog)
        with catalog.writing() as connection:
            # Of a ledger that is closed: the node's own statements come beside them.
            connection.execute(STATEMENTS.update().values(origin="archive.example/ledger"))
            for name, value in (("charter", opened.charter.digest), ("spilled", sha256(b"").hexdigest())):
                connection.execute(META.update().where(META.c.name == name).values(value=value))
        bring_up(opened, catalog, anew=None)
        catalog.close()
    return edges


def _measured(home: Path, what: str) -> list[Row]:
    """Each page and twin; those that search, also with something to find."""
    with Node.open(home, clock=FixedClock(NOON)) as opened:
        console = Console(opened, ORIGIN)
        cookie = f"watchword={console.access.begin(Reader('ALFA', 'official', 'passkey'))}"
        first = _ms(console, "/console/status", cookie)
        known, charter = console.known(), opened.charter.digest
        one = {kind: known.held.of_kinds((kind,))[0].statement for kind in ("decision", "evaluation", "incident")}
        special = {"/evaluations/{id}": one["evaluation"].id, "/incidents/{id}": one["incident"].id}
        measured = {}
        for sheet in SHEETS:
            filled = sheet.path.format(
                digest=charter if sheet.path.startswith("/charters") else one["decision"].subject[0].digest,
                other=charter, use=DJ(CASE), id=special.get(sheet.path, one["decision"].id), member="ALFA",
                supplier="AQUILA",
            )  # fmt: skip
            asked = ["", *(f"?{name}={text}" for name, text in FIND.items() if name in sheet.query)]
            for path in (f"/console{filled}{twin}{query}" for twin in ("", ".json") for query in asked):
                _ms(console, path, cookie)
                measured[path] = statistics.median(_ms(console, path, cookie) for _ in range(RUNS))
        with Node.open(home, clock=FixedClock(NOON), writing=True) as writing:
            writing.sign_and_append("inspection", (Subject("system 00000 1.0", D(b"0")),), INSPECTION)
            writing.publish()
        begun = time.perf_counter()
        _ms(console, "/console/status", cookie)
        after = 1000 * (time.perf_counter() - begun)
        console.known().remade.wait()
    note_after = "wall time; it says that it is being made again"
    # What is hit is a search through all edges, and has the goal of one (``benchmarks.catalog``).
    hit = max(measured[path] for path in measured if "?of=" in path)
    pages = {path: took for path, took in measured.items() if "?of=" not in path}
    slowest = max(pages, key=lambda path: pages[path])
    note = f"slowest of {len(pages)}: {slowest[:60]}; median of {RUNS}"
    return [
        Row(f"{what}: slowest page", pages[slowest], "CPU ms", "≤ 150 CPU ms", pages[slowest] <= 150, note=note),
        Row(f"{what}: median page", statistics.median(pages.values()), "CPU ms", note="pages and twins alike"),
        Row(f"{what}: what is hit", hit, "CPU ms", "< 1,000 CPU ms", hit < 1000, note="exposure to one package"),
        Row(f"{what}: the first status page", first, "CPU ms", note="made when serve starts, before anybody asks"),
        Row(f"{what}: status after something came", after, "ms", "≤ 150 ms", after <= 150, note=note_after),
    ]


def founded(folder: Path) -> Path:
    """ALFA's home in an alliance of one, closed."""
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
    return folder / "ALFA"


def _made(folder: Path) -> Path:
    """ALFA's home, closed: an inspection and an evaluation of each release, a decision on a hundred of them."""
    home = founded(folder)
    with Node.open(home, clock=FixedClock(NOON), writing=True) as here:
        charter = here.charter
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
    return home


def _ms(console: Console, path: str, cookie: str) -> float:
    headers = [(b"host", b"localhost:8440"), (b"cookie", cookie.encode())]
    path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
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
