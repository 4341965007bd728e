"""The course of a soak: found, run in calm, run in a storm of faults, find something, heal; what happened, as facts.

* Nothing is judged here (``checks``), nothing drawn (``faults``): this begins and ends faults, and keeps processes up.
* Times are seconds of this machine's own clock since the soak began; the members' clocks are wrong now and then.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.catalog.server import Server, installed, new_database, private_server
from benchmarks.soak.alliance import NAMES, RELEASE, TARGET, Founded, found
from benchmarks.soak.disks import Disk
from benchmarks.soak.faults import Fault, Parties, schedule
from benchmarks.soak.liar import Between
from benchmarks.soak.member import INSPECTION
from benchmarks.soak.processes import Job, Machine, cpu_s, free_port, lines, listens, until
from watchword.node import Node
from watchword.node.home import BusyNode

GATES = 3
TOKEN = "a-token-for-agents-alone"
CONNECTIONS = 8
"""Of agents to each gate. Origin: a group commit takes as many at a time as fit into a sync."""
PAUSE_S = 4.0
"""Between two rounds of a member, on average, in seconds. Origin: eight members keep half a core busy so."""
FOUND_AT = 0.55
"""When the finding is made, as a part of the storm."""
READY_S_MAX = 120.0
CLOSED_S_MAX = 120.0


@dataclass(frozen=True)
class Plan:
    """How long in calm and in the storm, how many members, which seed; ``rate``: questions a second in the storm.

    ``shared``: the three doors are of one gate, with one record in PostgreSQL; else of three members' gates.
    """

    calm_s: float = 20.0
    storm_s: float = 100.0
    nodes: int = 8
    seed: int = 1
    rate: int = 600
    shared: bool = False


@dataclass(frozen=True)
class Door:
    """A process that answers for the gate of *member*: its job there, by the name of which its port goes too."""

    member: str
    job: str


@dataclass
class Happened:
    """What a soak saw, in seconds since it began.

    ``load``: of the machine before anything was asked; ``calm_cpu_s``: of all processes, in calm; ``faults``: from when
    until when; ``ended``: when which process ended by itself, and how.
    """

    plan: Plan
    disks: dict[str, str] = field(default_factory=dict)
    database: bool = False
    load: float = 0.0
    calm_cpu_s: float = 0.0
    calm: tuple[float, float] = (0.0, 0.0)
    storm: tuple[float, float] = (0.0, 0.0)
    faults: list[tuple[float, float, Fault]] = field(default_factory=list)
    found_s: float = 0.0
    recorded_s: float = 0.0
    shrunk: list[str] = field(default_factory=list)
    lied: dict[str, int] = field(default_factory=dict)
    ended: list[tuple[float, str, int]] = field(default_factory=list)


class Soak:
    """One soak in *folder*. ``run``, then ``checks`` over the homes it leaves, then ``close``."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.names = NAMES[: plan.nodes]
        self.liar = self.names[-1]
        self.gates = self.names[:1] if plan.shared else self.names[:GATES]
        if plan.shared:
            self.doors = {f"{self.names[0]} {n + 1}": Door(self.names[0], f"gate-{n + 1}") for n in range(GATES)}
        else:
            self.doors = {name: Door(name, "gate") for name in self.gates}
        self.finder = self.names[GATES] if plan.nodes > GATES + 1 else self.names[0]
        self.happened = Happened(plan)
        self._began = time.time()
        self._over = threading.Event()
        self._stack = contextlib.ExitStack()
        self.database: Server | None = None
        if installed():
            self.database = self._stack.enter_context(private_server(durable=True))
        self.happened.database = self.database is not None
        self.machines = self._machines()
        self.founded: Founded = found({name: one.home for name, one in self.machines.items()}, self.gates)
        self.between = Between({name: one.ports["serve"] for name, one in self.machines.items()})
        self._stack.callback(self.between.close)
        self.twin: Job | None = None
        self._prepare()

    def now(self) -> float:
        return time.time() - self._began

    @property
    def began(self) -> float:
        """Seconds since 1970."""
        return self._began

    def close(self) -> None:
        self._over.set()
        for machine in self.machines.values():
            machine.end()
        if self.twin is not None:
            self.twin.end()
        self._stack.close()

    # -- the parties ------------------------------------------------------------------------------

    def _machines(self) -> dict[str, Machine]:
        small = {self.names[GATES - 1], *self.names[GATES + 1 : GATES + 2]}
        made = {}
        for name in self.names:
            where = self.folder / name.lower()
            disk = Disk.at(where) if name in small else None
            if disk is None:
                where.mkdir()
            else:
                self.happened.disks[name] = disk.kind
                self._stack.callback(disk.close)
            jobs = ["serve", *(door.job for door in self.doors.values() if door.member == name)]
            ports = {job: free_port() for job in jobs}
            made[name] = Machine(name, where / "home", self.folder, ports, disk)
        return made

    def _prepare(self) -> None:
        token = self.folder / "token"
        token.write_text(TOKEN, "ascii")
        token.chmod(0o600)
        # Two members keep their catalogs in PostgreSQL; the others have none.
        with_catalog = {self.names[0], self.finder} if self.database is not None else set()
        for name, machine in self.machines.items():
            url = None
            if self.database is not None and name in with_catalog:
                url = new_database(str(self.database.folder), name.lower())
            peers = {other: self.between.url(name, other) for other in self.names if other != name}
            plan = {"peers": peers, "seed": f"{self.plan.seed} {name}", "pause_s": PAUSE_S, "catalog": url}
            machine.prepare(plan, RELEASE.digest, token)
        if self.plan.shared:
            if self.database is None:
                raise RuntimeError("a shared record needs PostgreSQL: apt-get install postgresql")
            url = new_database(str(self.database.folder), "record")
            command = [sys.executable, "-m", "watchword", "gate", "share", url, "--home"]
            subprocess.run([*command, str(self.machines[self.names[0]].home)], check=True, capture_output=True)

    # -- the course -------------------------------------------------------------------------------

    def run(self) -> Happened:
        """All of it, to the moment when everything is whole again and every gate has closed."""
        happened, plan = self.happened, self.plan
        self._tick()
        ports = [port for one in self.machines.values() for port in one.ports.values()]
        if not until(lambda: all(map(listens, ports)), READY_S_MAX, self._tick):
            raise RuntimeError(f"not every process came up; their logs are in {self.folder}")
        watching = threading.Thread(target=self._watch, daemon=True)
        watching.start()
        happened.load = os.getloadavg()[0]
        with self._agents("calm", 0) as agents:
            began = self.now()
            processes = [agents, *(one for machine in self.machines.values() for one in machine.processes())]
            before = sum(map(cpu_s, processes))
            until(lambda: False, plan.calm_s, self._tick)
            happened.calm_cpu_s = sum(map(cpu_s, processes)) - before
            happened.calm = began, self.now()
        with self._agents("storm", plan.rate):
            began = self.now()
            self._storm(began)
            happened.storm = began, self.now()
            if not until(self._all_closed, CLOSED_S_MAX, self._tick):
                print("not every gate closed", file=sys.stderr)
        self._over.set()
        watching.join()
        for machine in self.machines.values():
            for name, job in machine.jobs.items():
                if name != "serve":
                    job.end()
        happened.lied = dict(self.between.lied)
        happened.ended = sorted(
            (at_s - self._began, job.name, status)
            for machine in self.machines.values() for job in machine.jobs.values() for at_s, status in job.ended
        )  # fmt: skip
        return happened

    def _storm(self, began: float) -> None:
        doors = [(door.member, door.job) for door in self.doors.values()]
        parties = Parties(self.names, doors, sorted(self.happened.disks), self.liar, self.database is not None)
        waiting = list(schedule(self.plan.seed, self.plan.storm_s, parties))
        running: list[tuple[float, float, Fault]] = []
        finding: threading.Thread | None = None
        while waiting or running or self.now() < began + self.plan.storm_s:
            now = self.now()
            while waiting and began + waiting[0].at_s <= now:
                fault = waiting.pop(0)
                self._begin(fault)
                running.append((now, began + fault.at_s + fault.for_s, fault))
            for one in [one for one in running if one[1] <= now]:
                running.remove(one)
                self._end(one[2])
                self.happened.faults.append((one[0], self.now(), one[2]))
            if finding is None and now >= began + self.plan.storm_s * FOUND_AT:
                finding = threading.Thread(target=self._find, daemon=True)
                finding.start()
            self._tick()
            time.sleep(0.05)
        if finding is not None:
            finding.join()

    def _tick(self) -> None:
        now = time.time()
        for machine in self.machines.values():
            machine.look(now)
        if self.twin is not None:
            self.twin.look(now)

    @contextlib.contextmanager
    def _agents(self, name: str, rate: int) -> Iterator[int]:
        """Agents at work; yields their process."""
        gates = {name: self.machines[door.member].ports[door.job] for name, door in self.doors.items()}
        plan = {"gates": gates, "token": TOKEN, "connections": CONNECTIONS, "rate": rate}
        path = self.folder / f"agents.{name}.plan"
        told = self.folder / f"agents.{name}.told"
        path.write_text(json.dumps(plan | {"told": str(told)}), "utf-8")
        with (self.folder / f"agents.{name}.log").open("wb") as log:
            command = [sys.executable, "-m", "benchmarks.soak.agents", str(path)]
            running = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(told.exists, READY_S_MAX, self._tick)
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)
        if running.returncode != 0:
            raise RuntimeError(f"the agents ended with {running.returncode}: {self.folder / f'agents.{name}.log'}")

    def _find(self) -> None:
        """A member finds something, and says so by a command; it tries until its machine lets it."""
        self.happened.found_s = self.now()
        command = [
            sys.executable, "-m", "watchword", "notice", "recall", TARGET, "--reason", "a payload was found",
            "--action", "stop using it", "--severity", "emergency", "--home", str(self.machines[self.finder].home),
            "--output", str(self.folder / "recall.json"),
        ]  # fmt: skip
        while not self._over.is_set():
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                self.happened.recorded_s = self.now()
                return
            (self.folder / "finding.log").open("a").write(done.stderr)
            time.sleep(0.2)

    def _all_closed(self) -> bool:
        """Whether the last answer of every door says that the release is recalled."""
        last: dict[str, str] = {}
        for gate, _, _, what, *_ in lines(self.folder / "agents.storm.told")[-5_000:]:
            last[gate] = what
        time.sleep(0.5)
        return all(last.get(door) == "recalled" for door in self.doors)

    def _watch(self) -> None:
        """Read every member's own heads as a stranger would: what was signed never shrinks."""
        sizes: dict[tuple[str, str], int] = {}
        while not self._over.wait(1.0):
            for name, machine in self.machines.items():
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{machine.ports['serve']}/health", timeout=2) as told:
                        there = json.load(told)["sizes"]
                except (OSError, ValueError):
                    continue
                for origin, size in there.items():
                    if size < sizes.get((name, origin), 0):
                        self.happened.shrunk.append(f"{origin} shrank from {sizes[name, origin]} to {size}")
                    sizes[name, origin] = size

    # -- faults -----------------------------------------------------------------------------------

    def _begin(self, fault: Fault) -> None:
        machine, others = self.machines.get(fault.who), [one for one in self.names if one != fault.who]
        if fault.kind == "kill" and machine is not None:
            machine.jobs[fault.how].kill(time.time() + fault.for_s)
        elif fault.kind == "freeze" and machine is not None:
            machine.jobs[fault.how].freeze(True)
        elif fault.kind == "cut":
            self.between.cut(fault.who, True)
        elif fault.kind == "lie":
            self.between.set(fault.how, fault.who, others[int(fault.at_s) % 2 :: 2])
        elif fault.kind == "fork":
            self._fork()
            self.between.fork(fault.who, others[::2])
        elif fault.kind == "full" and machine is not None and machine.disk is not None:
            machine.disk.fill(machine.processes())
        elif fault.kind == "clock" and machine is not None:
            machine.set_clock(float(fault.how.removesuffix(" s")))
        elif fault.kind == "database" and self.database is not None:
            self.database.stop("immediate" if fault.how == "kill" else "fast")

    def _end(self, fault: Fault) -> None:
        machine = self.machines.get(fault.who)
        if fault.kind == "freeze" and machine is not None:
            machine.jobs[fault.how].freeze(False)
        elif fault.kind == "cut":
            self.between.cut(fault.who, False)
        elif fault.kind == "lie":
            self.between.set("pass", fault.who, list(self.names))
        elif fault.kind == "fork":
            self.between.fork(fault.who, [])
        elif fault.kind == "full" and machine is not None and machine.disk is not None:
            machine.disk.free(machine.processes())
        elif fault.kind == "clock" and machine is not None:
            machine.set_clock(0)
        elif fault.kind == "database" and self.database is not None:
            self.database.start()

    def _fork(self) -> None:
        """The liar goes on with a second history under the same key, and serves it too."""
        liar, twin = self.machines[self.liar], self.folder / "twin"
        while not twin.exists():
            with contextlib.suppress(BusyNode), Node.open(liar.home, writing=True) as one:
                shutil.copytree(liar.home, twin)
                _said(one)
        with Node.open(twin, writing=True) as other:
            _said(other)
        port = free_port()
        command = [sys.executable, "-m", "watchword", "serve", "--port", str(port), "--home", str(twin)]
        self.twin = Job("twin serve", command, self.folder / "twin.log", dict(os.environ))
        self.between.twin[self.liar] = port


def _said(node: Node) -> None:
    node.sign_and_append("inspection", (RELEASE,), INSPECTION)
    node.publish()
