"""A PostgreSQL server that is nobody else's: a cluster in a temporary folder, run by an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def installed() -> bool:
    """Whether the server's programs are on this machine."""
    return all(map(program, ("initdb", "postgres")))


@contextmanager
def private_server() -> Iterator[str]:
    """A running server; yields the folder of its socket. Its superuser is ``watchword``, without a password."""
    folder = Path(tempfile.mkdtemp(prefix="watchword-postgresql-"))
    how = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True} | unprivileged(folder)
    first = [program("initdb"), "-D", str(folder / "data"), "-U", "watchword", "--auth=trust", "--no-sync"]
    subprocess.run([*first, "-E", "UTF8", "--locale=C.UTF-8"], check=True, **how)
    command = [program("postgres"), "-D", str(folder / "data"), "-k", str(folder), "-h", "", "-F"]
    server = subprocess.Popen(command, **how)
    try:
        if not any("ready to accept connections" in line for line in server.stderr or ()):
            raise RuntimeError("the server of PostgreSQL ended")
        yield str(folder)
    finally:
        server.terminate()
        server.communicate(timeout=60)
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
