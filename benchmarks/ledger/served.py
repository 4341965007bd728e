"""Over HTTP, between processes: a witness that cosigns one growing ledger, and a member that pulls one new entry."""

from __future__ import annotations

import http.client
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.ledger.trees import ENTRIES
from benchmarks.table import Row
from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.ledger.checkpoint import Checkpoint, sign_checkpoint
from watchword.ledger.merkle import consistency_path, leaf_hash, root_of
from watchword.ledger.witness import format_request
from watchword.node.sync import sync
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import SystemClock, rfc3339

REQUESTS = 600
SECRET = bytes(32)
RELEASE = Subject("release", D(b""))
PERSON = {"evaluator": ["evaluator"]}


def run() -> list[Row]:
    """Rates by wall time of one client; CPU of the whole server process, parsing HTTP included."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        _alliance(folder)
        return [*_witness(folder), *_sync(folder)]


def _alliance(folder: Path) -> None:
    """ALFA and BRAVO, who ratified each other."""
    clock = SystemClock()
    members = [node.create(folder / m, m, m, PERSON, f"{m.lower()}.example", None) for m in ("ALFA", "BRAVO")]
    standing = {"ratification": ["root"], "inspection": ["evaluator"], "record-head": ["gate"]}
    value = draft(
        "Benchmark", members, [], requirements=[], red_lines=[], standing=standing, faulty=0,
        secret=SECRET, made=rfc3339(clock.now()),
    )  # fmt: skip
    charter = parse_charter(value)
    file = CharterFile(charter, tuple(node.ratify(folder / m, charter, clock)[1] for m in ("ALFA", "BRAVO")))
    for m in ("ALFA", "BRAVO"):
        node.adopt(folder / m, file, SECRET, clock)


@contextmanager
def _serving(home: Path) -> Iterator[tuple[int, str]]:
    """``watchword serve`` on its own: its process id and address."""
    command = [sys.executable, "-m", "watchword", "serve", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        line = running.stdout.readline() if running.stdout else ""
        found = re.search(r"http://\S+", line)
        if not found:
            raise RuntimeError(f"serve said {line!r}")
        try:
            yield running.pid, found[0]
        finally:
            running.terminate()


def _cpu_of(pid: int) -> float:
    """CPU-seconds of a process so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _witness(folder: Path) -> list[Row]:
    key = node.Node.open(folder / "ALFA").keys.job("ledger")
    row: list[bytes] = []
    bodies = []
    for size in range(1, REQUESTS + 1):
        row.append(leaf_hash(b"%d" % size))
        path = consistency_path(lambda level, i: root_of(row[i << level : (i + 1) << level]), size - 1, size)
        head = sign_checkpoint(Checkpoint("alfa.example/ledger", size, root_of(row)), key)
        bodies.append(format_request(size - 1, path, head))
    with _serving(folder / "BRAVO") as (pid, url):
        client = http.client.HTTPConnection(urlsplit(url).netloc)
        _post(client, bodies[0])
        cpu, begun = _cpu_of(pid), time.perf_counter()
        for body in bodies[1:]:
            _post(client, body)
        rate = (REQUESTS - 1) / (time.perf_counter() - begun)
        cpu_ms = 1000 * (_cpu_of(pid) - cpu) / (REQUESTS - 1)
    note = "one client, one after another; both signatures verified and made; one sync each"
    return [
        Row("witness add-checkpoint over HTTP", cpu_ms, "ms", "≤ 2.5 ms CPU", cpu_ms <= 2.5, note=note),
        Row("… for one ledger, durable", rate, "/s", "≥ 200/s", rate >= 200, note="wall, client on the same cores"),
    ]


def _post(client: http.client.HTTPConnection, body: bytes) -> None:
    client.request("POST", "/witness/add-checkpoint", body)
    answer = client.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {said!r}")


def _sync(folder: Path) -> list[Row]:
    """BRAVO pulls ALFA's whole ledger, then one new statement at a time."""
    (folder / "BRAVO" / "witness").rename(folder / "witness-before")
    fields: dict[str, Any] = {
        "tool": {"name": "x", "version": "1", "rules": D(b"")}, "verdict": "nothing-found", "files": 1, "bytes": 1,
        "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
    }  # fmt: skip
    with node.Node.open(folder / "ALFA", writing=True) as alfa, node.Node.open(folder / "BRAVO", writing=True) as bravo:
        log = alfa.store.own("ledger")
        for start in range(0, ENTRIES, 100_000):
            some = range(start, min(start + 100_000, ENTRIES))
            log.append([b"\x01" + number.to_bytes(32, "big") for number in some])
            log.publish(alfa.keys.job("ledger"))
        alfa.publish()
        with _serving(folder / "ALFA") as (_, url):
            before, begun = _own_cpu(), time.perf_counter()
            (whole,) = sync(bravo, {"ALFA": url})
            whole_cpu, whole_s = _own_cpu() - before, time.perf_counter() - begun
            # The leaves have no bodies: until ALFA has been asked for each of them once.
            while sync(bravo, {"ALFA": url})[0].requests > 4:
                pass
            cpu_ms, files = [], []
            for _ in range(5):
                for origin in alfa.charter.shared_origins:
                    # Its cosignatures, as ALFA's own sync from BRAVO brings them home.
                    alfa.store.take_notes(origin, [head.note for head in bravo.store.kept_heads(origin)])
                alfa.sign_and_append("inspection", (RELEASE,), fields)
                alfa.publish()
                before = _own_cpu()
                (one,) = sync(bravo, {"ALFA": url})
                cpu_ms.append(1000 * (_own_cpu() - before))
                files.append(one.requests)
                if one.troubles or one.bodies != 1:
                    raise RuntimeError(one.told())
    ms, most = statistics.median(cpu_ms), max(files)
    how = f"{whole_s:.0f} s wall beside the serving process; two more processes pulling; {whole.troubles or 'whole'}"
    return [
        Row(
            f"sync of one new entry on {ENTRIES:,}", ms, "ms", "≤ 10 ms CPU", ms <= 10,
            note="pulled, verified, cosigned, durable; its body with both signatures",
        ),
        Row("… files asked for", most, "", "≤ 6", most <= 6, note="tags, heads, bundle, bodies"),
        Row(f"first sync of {ENTRIES:,} leaves", whole_cpu, "CPU-s", note=how),
    ]  # fmt: skip


def _own_cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
