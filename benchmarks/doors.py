"""Three doors of one gate, as processes over real HTTP, whose record is in PostgreSQL: how much they decide together.

``python -m benchmarks doors``, or by itself and in more detail ``python -m benchmarks.doors``. Agents ask as fast as
they are answered, on the same cores; every answer has a durable receipt, and each one that an agent was told is looked
for in the record afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.catalog.server import Server, installed, new_database, private_server
from benchmarks.soak.alliance import RELEASE, found
from benchmarks.soak.processes import cpu_s, free_port, lines, listens, until
from benchmarks.table import Row
from watchword.node import Node, sharing

GOAL = 500
DOORS, CONNECTIONS, SECONDS = 3, 16, 10.0
TOKEN = "a-token-for-agents-alone"
READY_S_MAX = 60.0


@dataclass(frozen=True)
class Measured:
    """What agents were answered in ``seconds``: answers with a receipt, how long each took, and who spent CPU on them.

    ``lost``: receipts that an agent was told and that the record has not, or has for another action, or twice.
    """

    seconds: float
    waits_ms: list[float]
    lost: int
    refused: int
    cpu_s: dict[str, float]
    commits: float
    syncs: float
    load: float

    @property
    def per_s(self) -> float:
        return len(self.waits_ms) / self.seconds

    def part_ms(self, part: int) -> float:
        """The *part*-th percentile of how long an answer took."""
        return statistics.quantiles(self.waits_ms, n=100)[part - 1] if len(self.waits_ms) > 1 else 0.0

    def cpu_ms(self, who: str) -> float:
        """Milliseconds of CPU for each decision."""
        return 1_000 * self.cpu_s[who] / max(len(self.waits_ms), 1)


def run() -> list[Row]:
    """Decisions of three doors in a second, and how long one waits who asks alone."""
    if not installed():
        print("PostgreSQL is not installed: no figure", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory(prefix="watchword-doors-") as name, doors(Path(name), DOORS) as open_:
        many = open_.asked(SECONDS, CONNECTIONS)
        alone = open_.asked(SECONDS / 3, 1, only=1)
    spent = ", ".join(f"{many.cpu_ms(who):.2f} ms in {who}" for who in many.cpu_s)
    beside = f"load {many.load:.1f} before"
    return [
        Row(
            f"{DOORS} doors of one gate, decisions with receipts", many.per_s, "/s", f"≥ {GOAL}/s", many.per_s >= GOAL,
            note=f"{CONNECTIONS} callers each, all on the same cores, {beside}; p50 {many.part_ms(50):.0f} ms, "
            f"p99 {many.part_ms(99):.0f} ms; CPU of one: {spent}; {1 / max(many.commits, 1e-9):.1f} to a commit",
        ),
        Row("… told and not in the record", many.lost + alone.lost, "", "0", many.lost + alone.lost == 0),
        Row("… one caller alone, p50", alone.part_ms(50), "ms", note=beside),
        Row("… one caller alone, p99", alone.part_ms(99), "ms", note=f"{len(alone.waits_ms):,} asked"),
    ]  # fmt: skip


@dataclass
class Doors:
    """Processes that answer for one gate, at ``ports``."""

    folder: Path
    home: Path
    server: Server
    url: str
    ports: list[int]
    processes: list[subprocess.Popen[bytes]]

    def asked(self, seconds: float, connections: int, only: int | None = None) -> Measured:
        """Let agents ask for *seconds*, over so many connections to each door, or to the *only* first ones."""
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        gates = {str(number): port for number, port in enumerate(self.ports[:only])}
        plan = {"connections": connections, "gates": gates, "rate": 0, "told": str(told), "token": TOKEN}
        (self.folder / "plan").write_text(json.dumps(plan), "utf-8")
        load = os.getloadavg()[0]
        agents = subprocess.Popen([sys.executable, "-m", "benchmarks.soak.agents", str(self.folder / "plan")])
        until(told.exists, READY_S_MAX, lambda: None)
        time.sleep(1.0)  # until every connection has asked once
        before, began = self._spent(agents.pid), time.time()
        time.sleep(seconds)
        after, ended = self._spent(agents.pid), time.time()
        agents.send_signal(signal.SIGTERM)
        agents.wait(60)
        answers = lines(told)
        good = [one for one in answers if began <= one[2] <= ended and one[4] is not None]
        of = max(len(good), 1)
        spent = {who: after[who] - before[who] for who in before}
        return Measured(
            ended - began, [1_000 * (one[2] - one[1]) for one in good], self._lost(answers),
            sum(one[3] != "permit" for one in answers), {who: spent[who] for who in ("doors", "database", "agents")},
            spent["commits"] / of, spent["syncs"] / of, load,
        )  # fmt: skip

    def _spent(self, agents: int) -> dict[str, float]:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            (commits,) = connection.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone() or (0,)
            (syncs,) = connection.execute("SELECT wal_sync FROM pg_stat_wal").fetchone() or (0,)
        main = int((self.server.folder / "data" / "postmaster.pid").read_text("ascii").splitlines()[0])
        listed = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        database = [one for one in listed if one == main or _parent(one) == main]
        return {
            "agents": cpu_s(agents), "commits": float(commits), "database": sum(map(_spent_by, database)),
            "doors": sum(cpu_s(one.pid) for one in self.processes), "syncs": float(syncs),
        }  # fmt: skip

    def _lost(self, answers: list[Any]) -> int:
        """Answers with a receipt whose place in the record is another action's, or nobody's, or was told before."""
        with Node.open(self.home, writing=False) as here:
            record = sharing.shared_record(here)
            assert record is not None
            try:
                recorded = record.receipts(record.look())
            finally:
                record.close()
        told = [(one[4], one[5]) for one in answers if one[4] is not None]
        kept = {place for place, action in told if place < len(recorded) and recorded[place]["action"] == action}
        return len(told) - len(kept)


@contextlib.contextmanager
def doors(folder: Path, count: int) -> Iterator[Doors]:
    """An alliance of one, its gate's record in a server of its own, and *count* doors that answer."""
    home, token = folder / "home", folder / "token"
    found({"ALFA": home}, ("ALFA",))
    token.write_text(TOKEN, "ascii")
    token.chmod(0o600)
    with private_server(durable=True) as server, contextlib.ExitStack() as stack:
        url = new_database(str(server.folder), "record")
        with Node.open(home, writing=True) as here:
            sharing.share(here, url)
        ports = [free_port() for _ in range(count)]
        processes = []
        for port in ports:
            log = stack.enter_context((folder / f"door-{port}.log").open("wb"))
            command = [
                sys.executable, "-m", "watchword", "gate", "authzen", "--of", RELEASE.digest, "--token-file",
                str(token), "--port", str(port), "--home", str(home),
            ]  # fmt: skip
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        try:
            if not until(lambda: all(map(listens, ports)), READY_S_MAX, lambda: None):
                raise RuntimeError(f"not every door came up; their logs are in {folder}")
            yield Doors(folder, home, server, url, ports, processes)
        finally:
            for one in processes:
                one.terminate()
            for one in processes:
                one.wait(40)


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def _spent_by(process: int) -> float:
    try:
        return cpu_s(process)
    except OSError:
        return 0.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="callers at each door (default: 16)")
    parser.add_argument("--doors", type=int, default=DOORS)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="watchword-doors-") as name, doors(Path(name), args.doors) as open_:
        for one in (open_.asked(args.seconds, args.connections), open_.asked(args.seconds / 3, 1, only=1)):
            print(
                f"{one.per_s:,.0f}/s, p50 {one.part_ms(50):.1f} ms, p99 {one.part_ms(99):.1f} ms; {one.lost} lost, "
                f"{one.refused} not permitted; load {one.load:.1f}; "
                + ", ".join(f"{who} {one.cpu_ms(who):.2f} ms" for who in one.cpu_s)
                + f"; {one.commits:.3f} commits and {one.syncs:.3f} syncs each"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
