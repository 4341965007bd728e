"""A gate for which several processes decide: a PostgreSQL server that keeps what it acknowledges, and gates over it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from benchmarks.catalog.server import Server, installed, new_database, private_server
from gate.gated import ALONE, gated

from watchword.gate import Gate
from watchword.node import Node, sharing

_NUMBERS = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server whose acknowledgements are durable."""
    if not installed():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with private_server(durable=True) as one:
        yield one


class Shared:
    """A gated ALFA whose record is shared in a database of its own; ``gate()`` opens another gate over it."""

    def __init__(self, folder: Path, server: Server, names: tuple[str, ...] = ALONE) -> None:
        self.gated = gated(folder, names)
        self.server = server
        self.url = new_database(str(server.folder), f"gate{os.getpid()}x{next(_NUMBERS)}")
        self._open = ExitStack()

    def begin(self) -> None:
        """From here on the record is shared. The node that is open for writing stays so: it is the one writer."""
        sharing.share(self.writer, self.url)
        self.gated.gate = self.gate()

    @property
    def writer(self) -> Node:
        return self.gated.at("ALFA")

    def gate(self, kind: type[Gate] = Gate) -> Gate:
        """One more gate over a node that is open for reading, as in another process."""
        home = self.gated.folder / "ALFA"
        node = self._open.enter_context(Node.open(home, clock=self.gated.clock, writing=False))
        gate = kind(node)
        self._open.callback(gate.close)
        return gate

    def receipts(self) -> list[dict]:
        """What the database has."""
        record = sharing.shared_record(self.writer)
        assert record is not None
        try:
            return record.receipts(record.look())
        finally:
            record.close()

    def fork(self, lives: Callable[[Gate], None], kind: type[Gate] = Gate) -> int:
        """A process that opens a gate and lives; its id. It ends with 0 unless an exception left *lives*."""
        child = os.fork()
        if child:
            return child
        code = 70
        try:
            node = Node.open(self.gated.folder / "ALFA", clock=self.gated.clock, writing=False)
            lives(kind(node))
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)

    def close(self) -> None:
        self._open.close()
        self.gated.close()


def ended_well(child: int) -> bool:
    """Wait for a forked process; whether it ended with 0."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def end_sessions(shared: Shared) -> None:
    """The server ends whoever is in the middle of a turn, as an administrator or a failing server does."""
    import psycopg

    with psycopg.connect(shared.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE state = 'idle in transaction' AND datname = current_database() AND pid <> pg_backend_pid()"
        )
