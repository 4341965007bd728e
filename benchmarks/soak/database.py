"""A PostgreSQL server that is stopped, killed and started again under those who use it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.catalog.server import program, unprivileged

START_S_MAX = 60.0


class Database:
    """A private cluster; ``folder`` is that of its socket, its superuser ``watchword``, without a password."""

    def __init__(self) -> None:
        self._how: dict[str, Any]
        self.folder = Path(tempfile.mkdtemp(prefix="watchword-soak-postgresql-"))
        self._how = unprivileged(self.folder) | {"stdout": subprocess.DEVNULL}
        first = [program("initdb"), "-D", str(self.folder / "data"), "-U", "watchword", "--auth=trust", "--no-sync"]
        subprocess.run(
            [*first, "-E", "UTF8", "--locale=C.UTF-8"], check=True, stderr=subprocess.PIPE, **self._how
        )
        self._log = (self.folder / "log").open("ab")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        if self._server is not None:
            return
        before = (self.folder / "log").stat().st_size
        command = [program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), "-h", ""]
        self._server = subprocess.Popen(command, stderr=self._log, **self._how)
        end_s = time.monotonic() + START_S_MAX
        while b"ready to accept connections" not in (self.folder / "log").read_bytes()[before:]:
            if time.monotonic() > end_s or self._server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {self.folder / 'log'}")
            time.sleep(0.05)

    def stop(self, how: str) -> None:
        """``stop``: as an operator does, connections cut; ``kill``: SIGQUIT, no shutdown, and it has to recover."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT if how == "kill" else signal.SIGINT)
            self._server.wait(START_S_MAX)
            self._server = None

    def close(self) -> None:
        self.stop("stop")
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
