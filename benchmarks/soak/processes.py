"""A member's machine: its home, its clock, and its processes, which a soak kills, freezes and starts again.

* ``serve`` is ``watchword serve``; ``gate`` is ``watchword gate authzen``, at members that have one; ``people`` does
  what a member's people and timers do (``member``).
* What ends by itself is started again after RESTART_S, as a service manager does, and told of: in the middle of a fault
  that explains it, it is a restart; otherwise it is a fault of ours.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak.disks import Disk

RESTART_S = 1.0


@dataclass
class Job:
    """One process that should run. ``ended``: (when, exit status) of each time it ended by itself."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    due_s: float = 0.0
    frozen: bool = False
    ended: list[tuple[float, int]] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment
            )

    def kill(self, again_s: float) -> None:
        """SIGKILL, now; it runs again from *again_s* on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process, self.due_s, self.frozen = None, again_s, False

    def freeze(self, frozen: bool) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)
            self.frozen = frozen

    def look(self, now_s: float) -> None:
        """Start it when it should run and does not."""
        if self.process is not None and self.process.poll() is not None:
            self.ended.append((now_s, self.process.returncode))
            self.process, self.due_s = None, now_s + RESTART_S
        if self.process is None and now_s >= self.due_s:
            self.start()

    def end(self) -> None:
        """SIGTERM, and wait."""
        if self.process is not None:
            self.freeze(False)
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


@dataclass
class Machine:
    """One member's. ``ports``: of ``serve`` and of each door of its gate. ``disk``: a small one of its own, or none."""

    name: str
    home: Path
    folder: Path
    ports: dict[str, int]
    disk: Disk | None
    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    @property
    def told(self) -> Path:
        return self.folder / f"{self.name}.told"

    def set_clock(self, ahead_s: float) -> None:
        """The wall clock of all its processes, from now on."""
        aside = self.clock.with_suffix(".aside")
        aside.write_text(f"{ahead_s}", "ascii")
        aside.replace(self.clock)

    def prepare(self, plan: dict[str, Any], release: str, token: Path) -> None:
        """Say what runs here. *plan*: of ``member``; *token*: of the doors of its gate."""
        path = self.folder / f"{self.name}.plan"
        own = {"home": str(self.home), "clock": str(self.clock), "told": str(self.told)}
        path.write_text(json.dumps(plan | own), "utf-8")
        watchword = [sys.executable, "-m", "benchmarks.soak.clocked", str(self.clock)]
        here = ["--home", str(self.home)]
        commands = {
            "serve": [*watchword, "serve", "--port", str(self.ports["serve"]), *here],
            "people": [sys.executable, "-m", "benchmarks.soak.member", str(path)],
        }
        for name in self.ports.keys() - {"serve"}:
            commands[name] = [
                *watchword, "gate", "authzen", "--of", release, "--token-file", str(token),
                "--port", str(self.ports[name]), *here,
            ]  # fmt: skip
        environment = dict(os.environ)
        if plan["catalog"] is not None:
            environment["WATCHWORD_CATALOG"] = plan["catalog"]
        for name, command in commands.items():
            log = self.folder / f"{self.name}.{name}.log"
            self.jobs[name] = Job(f"{self.name} {name}", command, log, environment)

    def processes(self) -> list[int]:
        return [job.process.pid for job in self.jobs.values() if job.process is not None]

    def look(self, now_s: float) -> None:
        for job in self.jobs.values():
            job.look(now_s)

    def end(self) -> None:
        for job in self.jobs.values():
            job.end()


def cpu_s(process: int) -> float:
    """CPU-seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lines(path: Path) -> list[Any]:
    """The whole lines of a file that a process may have been killed over."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line.strip()]


def until(condition: Callable[[], bool], seconds: float, each: Callable[[], None]) -> bool:
    """Call *each* until *condition* holds; whether it came to hold in time."""
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            return False
        each()
        time.sleep(0.05)
    return True


def free_port() -> int:
    """A port of this machine that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
