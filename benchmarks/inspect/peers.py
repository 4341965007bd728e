"""The peers: one environment each, outside the repository; their own command over each case, in bounded time.

The verdict is the exit code that the peer documents. An error or a time-out is neither a catch nor a pass: it is
counted beside them. Telemetry is switched off, and where we may, so is the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.inspect.corpus.cases import Placed

SECONDS_MAX = 60
TOGETHER = 2
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Peer:
    """Args:
    package, version: as installed; ``also`` are packages that it needs and does not name.
    command: its arguments before the path.
    clean, alarm: exit codes; every other is an error or a skip.
    """

    package: str
    version: str
    command: tuple[str, ...]
    clean: frozenset[int] = frozenset({0})
    alarm: frozenset[int] = frozenset({1})
    also: tuple[str, ...] = field(default=())


PEERS = (
    Peer("picklescan", "1.0.5", ("picklescan", "-p")),
    Peer("modelscan", "0.8.8", ("modelscan", "scan", "-p")),
    Peer("fickling", "0.1.12", ("fickling", "--check-safety"), also=("typing_extensions",)),
    Peer("modelaudit", "0.2.54", ("modelaudit", "scan", "--no-cache")),
    Peer("hayward", "1.4.1", ("hayward", "scan")),
)


def cache() -> Path:
    """Where environments and the corpus are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchword-bench"


def environment(name: str, *requirements: str) -> Path:
    """The ``bin`` folder of an environment with *requirements*, made if it is not there."""
    folder = cache() / name
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        (folder / "ready").touch()
    return folder / "bin"


def verdicts(peer: Peer, cases: Iterable[Placed]) -> dict[str, str]:
    """Id to ``clean``, ``alarm`` or ``error: …``."""
    bin_folder = environment(f"peers/{peer.package}", f"{peer.package}=={peer.version}", *peer.also)
    alone = ["unshare", "-n", "--"] if os.geteuid() == 0 and shutil.which("unshare") else []
    known = list(cases)

    def one(case: Placed) -> str:
        command = [*alone, str(bin_folder / peer.command[0]), *peer.command[1:], str(case.path)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **QUIET},
                cwd=tempfile.gettempdir(),  # one of them leaves its results where it stands
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"error: still running after {SECONDS_MAX} s"
        # Python exits 1 on an uncaught error too: that is no verdict.
        if done.returncode in peer.alarm and b"Traceback (most recent call last)" not in done.stderr:
            return "alarm"
        return "clean" if done.returncode in peer.clean else f"error: exit {done.returncode}"

    with ThreadPoolExecutor(TOGETHER) as pool:
        return {case.id: said for case, said in zip(known, pool.map(one, known), strict=True)}
