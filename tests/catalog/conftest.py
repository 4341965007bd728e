"""A catalog in each database: SQLite, and PostgreSQL in a private cluster of an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alliance import Alliance, copy_alliance, make_alliance, quick_disk

from watchword.catalog.database import Catalog, open_catalog


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("template") / "alliance", ("ALFA", "BRAVO", "CHARLIE"))
        made.sync()
        made.close()
    return made


@pytest.fixture
def alliance(template: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    with quick_disk():
        copy = copy_alliance(template, tmp_path / "alliance")
        yield copy
        copy.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The socket folder of a running PostgreSQL server that is nobody else's."""
    programs = [shutil.which("initdb"), shutil.which("postgres")]
    programs = [one or str(next(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), ""))
                for one, name in zip(programs, ("initdb", "postgres"), strict=True)]  # fmt: skip
    if not all(programs):
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    # The server refuses to run as root; its folder must be where another user can go.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="watchword-postgresql-", dir="/tmp"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "cwd": folder, "text": True}
    first = [programs[0], "-D", str(folder / "data"), "-U", "watchword", "--auth=trust", "--no-sync", "-E", "UTF8"]
    subprocess.run([*first, "--locale=C.UTF-8"], check=True, **who, **quiet)
    command = [programs[1], "-D", str(folder / "data"), "-k", str(folder), "-h", "", "-F"]
    server = subprocess.Popen(command, **who, **quiet)
    try:
        assert server.stderr is not None
        for line in server.stderr:
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError("the server ended")
        yield str(folder)
    finally:
        server.terminate()
        server.communicate(timeout=60)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new catalog can be."""
    if request.param == "sqlite":
        return tmp_path / "catalog.db"
    import psycopg

    folder = request.getfixturevalue("cluster")
    name = f"db{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(host=folder, user="watchword", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://watchword@/{name}?host={folder}"


@pytest.fixture
def opened(where: Path | str) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog, as often as it is called."""
    made: list[Catalog] = []

    def again() -> Catalog:
        made.append(open_catalog(where))
        return made[-1]

    yield again
    for catalog in made:
        catalog.close()
