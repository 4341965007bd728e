"""A short soak as a test: what was acknowledged is there and no invariant broke; how fast it went is not asked."""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.soak.checks import check
from benchmarks.soak.course import GATES, Happened, Plan, Soak
from benchmarks.soak.faults import Parties, schedule
from benchmarks.soak.figures import figures, told
from benchmarks.soak.processes import lines
from benchmarks.soak.report import page

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
pytest.importorskip("uvicorn", reason="what `serve` needs is not installed")

PLAN = Plan(calm_s=2, storm_s=14, nodes=4, seed=3, rate=40)
DOORS = (("A", "gate"), ("B", "gate"), ("C", "gate"))
OF = Parties(("A", "B", "C", "D", "E"), DOORS, ("C", "E"), "E", database=True)


def test_the_faults_of_a_seed_are_the_same_again_and_none_is_left_out() -> None:
    """Drawn from the seed alone; every kind, a kill of every door; all over at the end; never two of a kind at once."""
    faults = schedule(7, 120, OF)
    assert faults == schedule(7, 120, OF) != schedule(8, 120, OF)
    assert {one.kind for one in faults} == {"kill", "freeze", "cut", "lie", "fork", "full", "clock", "database"}
    assert {(one.who, one.how) for one in faults if one.kind == "kill"} >= set(DOORS)
    assert all(one.at_s + one.for_s <= 120 for one in faults)
    for one in faults:
        beside = [
            other for other in faults
            if (other.kind, other.who, other.how) == (one.kind, one.who, one.how) and other is not one
        ]  # fmt: skip
        assert not [two for two in beside if two.at_s < one.at_s + one.for_s and one.at_s < two.at_s + two.for_s]


class _AtOnce(socketserver.StreamRequestHandler):
    """A gate that has its answer before the next question is due."""

    def handle(self) -> None:
        answer = json.dumps({"decision": True, "context": {"receipt": 0, "action": "sha256:00"}}).encode()
        while self.rfile.readline():
            while (line := self.rfile.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    size = int(line.partition(b":")[2])
            self.rfile.read(size)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


def test_a_gate_that_answers_at_once_leaves_questions_for_the_others(tmp_path: Path) -> None:
    """At a rate that one gate alone could take, each of three has its third; seen to fail where lines ask in order."""
    told, plan = tmp_path / "told", tmp_path / "plan"
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _AtOnce) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gates = dict.fromkeys(("A", "B", "C"), server.server_address[1])
        plan.write_text(json.dumps({"gates": gates, "token": "t", "connections": 2, "rate": 40, "told": str(told)}))
        with subprocess.Popen([sys.executable, "-m", "benchmarks.soak.agents", str(plan)]) as agents:
            end_s = time.monotonic() + 60
            while len(lines(told)) < 30 and time.monotonic() < end_s:
                time.sleep(0.1)
            agents.terminate()
            assert agents.wait(60) == 0
        server.shutdown()
    asked = Counter(one[0] for one in lines(told))
    assert asked.total() >= 30
    assert set(asked) == {"A", "B", "C"}
    assert max(asked.values()) - min(asked.values()) <= 1


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Soak, Happened]]:
    """Four members as processes, three of them with gates, after a short storm."""
    soak = Soak(tmp_path_factory.mktemp("soak"), PLAN)
    try:
        yield soak, soak.run()
    finally:
        soak.close()


def test_nothing_acknowledged_is_lost_and_no_invariant_breaks(soaked: tuple[Soak, Happened]) -> None:
    """After kills, a full disk, lies, a fork, partitions, wrong clocks and a database that went; and the same checks
    name a statement and a receipt that were never there, and what was permitted after the recall was known."""
    soak, happened = soaked
    found = check(soak)
    assert found.breaches == [], f"again: python -m benchmarks.soak --nodes 4 --seed {PLAN.seed}"
    assert found.counts["statements acknowledged"] > 0 < found.counts["answers with a receipt"]
    assert found.lost == Counter()
    value = figures(soak, happened, found)
    assert set(value["finding"]["closed_after_s"]) == set(soak.names[:GATES])
    assert told(value).startswith("HELD  4 members, 3 doors of a gate each, seed 3\n")
    assert "Everything held." in page(json.loads(json.dumps(value)))

    now_s = time.time()
    with soak.machines["ALFA"].told.open("a", encoding="utf-8") as file:
        never = {"at_s": now_s, "what": "said", "id": "sha256:" + "0" * 64, "index": 0}
        file.write(json.dumps(never | {"origin": "alfa.example/ledger"}) + "\n")
    # On a busy machine the storm may end before BRAVO's own work has said that it knows.
    with soak.machines["BRAVO"].told.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at_s": now_s, "what": "knows"}) + "\n")
    with (soak.folder / "agents.storm.told").open("a", encoding="utf-8") as file:
        file.write(json.dumps(["BRAVO", now_s + 1, now_s + 1, "permit", 10**6, "sha256:" + "0" * 64, ""]) + "\n")
    again = check(soak)
    assert again.lost == Counter(statements=1, receipts=1)
    assert [one.partition(" ")[0] for one in again.breaches] == ["ALFA:", "BRAVO", "BRAVO:"]
