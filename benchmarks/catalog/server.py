"""A PostgreSQL server that is nobody else's: a cluster in a temporary folder, run by an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def installed() -> bool:
    """Whether the server's programs are on this machine."""
    return all(map(program, ("initdb", "pg_ctl")))


@dataclass
class Server:
    """A server in ``folder``, where its socket is; ``how`` its programs are run."""

    folder: Path
    how: dict[str, Any]
    options: str

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", f"-k {self.folder} -h '' {self.options}")

    def stop(self, how: str = "immediate") -> None:
        """Stop it: ``immediate`` is as a crash, ``fast`` ends all connections first."""
        self._control("stop", "-w", "-m", how)

    def _control(self, verb: str, *options: str) -> None:
        command = [program("pg_ctl"), verb, "-D", str(self.folder / "data"), "-s", "-t", "60", *options]
        subprocess.run(command, check=True, **self.how)


@contextmanager
def private_server(*, durable: bool = False) -> Iterator[Server]:
    """A running server. Its superuser is ``watchword``, without a password.

    Args:
        durable: what it acknowledges is on the disk; else it is quicker.
    """
    folder = Path(tempfile.mkdtemp(prefix="watchword-postgresql-"))
    how = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | unprivileged(folder)
    first = [program("initdb"), "-D", str(folder / "data"), "-U", "watchword", "--auth=trust", "--no-sync"]
    subprocess.run([*first, "-E", "UTF8", "--locale=C.UTF-8"], check=True, **how)
    server = Server(folder, how, "" if durable else "-F")
    server.start()
    try:
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)


def unprivileged(folder: Path) -> dict[str, Any]:
    """How a process is started in *folder*, which is given to its user: the server refuses to run as root."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    how: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        how |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return how


def new_database(folder: str, name: str) -> str:
    """The URL of a database of that name, made anew."""
    import psycopg

    with psycopg.connect(host=folder, user="watchword", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://watchword@/{name}?host={folder}"


def program(name: str) -> str:
    """Where a program of the server lies; empty where it does not."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(there[-1]) if there else "")
