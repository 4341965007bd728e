"""The receipts of a gate for which several processes decide, in one PostgreSQL database: one order, one record.

    <home>/shared.json          where the record is kept, and how far the home's own file of receipts follows it
    watchword_gate              a row for each gate: how many receipts, and what their chain has come to
    watchword_receipts          salt and receipt, at their places
    watchword_handed            what people signed, on its way to the ledger, which has one writer

* A *turn* is a transaction that holds the gate's row. Whoever decides has read every receipt before his own; what he
  decided is durable, all of it or nothing, before the row is let go. So holds, quotas and used approvals need no
  tables: they follow from the receipts, as they do where one process decides.
* Nothing is let go while the database is away, or does not keep what it acknowledges (``fsync`` off). A process that is
  stopped in its turn loses it after SHARED_IDLE_S_MAX: the server ends its transaction, and it learns so at the commit.
* Receipts are chained under a key of the alliance's secret: who can write into the database, and has no home, can
  neither add a receipt nor change one unseen. A database that was put back from a copy is refused, by every process
  that saw more and by every home that followed further.
* The node's writer takes what is new into the home (``follow``): receipts into its file, from which the leaves of the
  private record are made as ever, and signed answers into the ledger.
* Passwords stay out of URLs, as for a catalog.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.charter.standing import NoStanding
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.durable import StorageTrouble
from watchword.limits import (
    BODY_BYTES_MAX,
    SHARED_CONNECT_S_MAX,
    SHARED_IDLE_S_MAX,
    SHARED_PAGE,
    SHARED_PAUSE_S,
    SHARED_WAIT_S_MAX,
)
from watchword.node.receipts import SHARED_FILE
from watchword.node.recorded import DamagedHome, Retired
from watchword.statements.canonical import canonical, parse_canonical, parse_json
from watchword.statements.digests import SALT_BYTES

if TYPE_CHECKING:
    from psycopg import Connection

    from watchword.node.node import Node

FORMAT = "watchword-shared-record/1"
FILE_BYTES_MAX = 4_096
START = bytes(32)
"""What the chain of no receipts is."""

_TABLES = """
CREATE TABLE IF NOT EXISTS watchword_gate (
    gate text PRIMARY KEY, format text NOT NULL, open boolean NOT NULL, size bigint NOT NULL, chain bytea NOT NULL);
CREATE TABLE IF NOT EXISTS watchword_receipts (
    gate text NOT NULL, place bigint NOT NULL, salted bytea NOT NULL, chain bytea NOT NULL,
    PRIMARY KEY (gate, place));
CREATE TABLE IF NOT EXISTS watchword_handed (
    gate text NOT NULL, id text NOT NULL, envelope bytea NOT NULL, taken boolean NOT NULL, PRIMARY KEY (gate, id))
"""

_ROW = "SELECT size, chain, open, format FROM watchword_gate WHERE gate = %s"
_FOR_UPDATE = f"{_ROW} FOR UPDATE"
_IN_ORDER = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
_PAGE = """
SELECT place, salted, chain FROM watchword_receipts WHERE gate = %s AND place >= %s ORDER BY place LIMIT %s"""
_APPEND = """
WITH appended AS (INSERT INTO watchword_receipts SELECT %s, * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]))
UPDATE watchword_gate SET size = %s, chain = %s WHERE gate = %s"""


class NotShared(WatchwordError):
    """A record that is not shared, is shared already, or not in this database."""


class PutBack(DamagedHome):
    """A database that has lost or changed receipts which somebody saw: nothing is decided on it."""


@dataclass(frozen=True)
class Followed:
    """Where the record of a home is shared, and up to which receipt the home has followed it, with the chain there."""

    url: str
    size: int = 0
    chain: bytes = START

    def encode(self) -> bytes:
        return canonical({"chain": self.chain.hex(), "format": FORMAT, "size": self.size, "url": self.url})


def followed(home: Path) -> Followed | None:
    """What ``shared.json`` of this home says; None where the record is the home's own.

    Raises:
        DamagedHome: it is not as it was written.
    """
    data = durable.read(home / SHARED_FILE, FILE_BYTES_MAX)
    if data is None:
        return None
    try:
        value = parse_canonical(data, str(home / SHARED_FILE), FILE_BYTES_MAX)
        if value["format"] != FORMAT:
            raise ValueError
        return Followed(str(value["url"]), int(value["size"]), bytes.fromhex(value["chain"]))
    except (KeyError, TypeError, ValueError) as error:
        what = f"{home / SHARED_FILE}: not of the form {FORMAT}"
        raise DamagedHome(what, "a newer watchword wrote it, or a hand") from error


def shared_record(node: Node) -> SharedRecord | None:
    """The shared record of *node*'s gate; None where the record is the home's own.

    Raises:
        DamagedHome: the file that says so.
    """
    point = followed(node.home)
    return None if point is None else SharedRecord(point, node.member, node.secret)


class SharedRecord:
    """The receipts of the gate of one member. For one thread at a time; ``begin`` and ``commit`` or ``give_up`` pair.

    ``size`` and ``chain``: of the receipts that were read or committed here.
    """

    def __init__(self, point: Followed, gate: str, secret: bytes) -> None:
        self.gate = gate
        self._point = point
        self._key = hmac.digest(secret, f"{FORMAT} {gate}".encode(), "sha256")
        self._connection: Connection[Any] | None = None
        self._not_before = 0.0
        self._stated = 0, START
        self._page: list[tuple[Any, ...]] = []
        self.size = 0
        self.chain = START

    def close(self) -> None:
        """Let go of the connection; an open turn is given up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- turns ------------------------------------------------------------------------------------

    def begin(self, *, ended: bool = False) -> int:
        """Begin a turn, once every other process has ended its own; how many receipts there are.

        Args:
            ended: also where the record was closed.

        Raises:
            StorageTrouble: the database is away, or another process kept its turn too long.
            PutBack, NotShared.
        """
        with self._translated() as connection:
            row, self._page = self._turn(connection)
            try:
                return self._stands(row, ended)[0]
            except WatchwordError:
                connection.execute("ROLLBACK")
                raise

    def look(self) -> int:
        """How many receipts there are, outside a turn; others may add to them at once. Raises as ``begin``."""
        with self._translated() as connection:
            return self._stands(connection.execute(_ROW, (self.gate,)).fetchone())[0]

    def receipts(self, stop: int) -> list[dict[str, Any]]:
        """The receipts from ``size`` on up to *stop*, which are then read.

        Raises:
            PutBack: they are not what was appended, or not all there.
        """
        return [self._parsed(one) for one in self.salted(stop)]

    def salted(self, stop: int) -> Iterator[bytes]:
        """The same, each ``salt || canonical receipt`` as it was appended, in pages."""
        while self.size < stop:
            page, self._page = self._page, []
            if not page or page[0][0] != self.size:
                with self._translated() as connection:
                    page = connection.execute(_PAGE, (self.gate, self.size, SHARED_PAGE)).fetchall()
            page = page[: stop - self.size]
            if [row[0] for row in page] != list(range(self.size, min(stop, self.size + SHARED_PAGE))):
                raise PutBack(f"{self._what()}: receipts after {self.size:,} are gone", _PUT_BACK)
            for place, one, chain in page:
                self.chain, self.size = self._next(self.chain, one), self.size + 1
                if self.chain != chain or (self.size == self._point.size and chain != self._point.chain):
                    raise PutBack(f"{self._what()}: receipt {place:,} is not the one that was recorded", _PUT_BACK)
                yield one

    def commit(self, values: Sequence[dict[str, Any]], envelopes: Sequence[tuple[str, bytes]]) -> None:
        """Append receipts and what they name of what people signed, durably, and end the turn.

        Args:
            envelopes: id and bytes of statements that the node's writer is to put into the ledger.

        Raises:
            StorageTrouble: none of it was acknowledged; it may be there all the same.
        """
        size, chain, rows, chains = self.size, self.chain, [], []
        if size != self._stated[0]:
            raise PutBack(f"{self._what()}: receipts from {size:,} on were not read", "ask again")
        for value in values:
            one = os.urandom(SALT_BYTES) + canonical(value)
            chain = self._next(chain, one)
            rows.append(one)
            chains.append(chain)
        places = list(range(size, size + len(rows)))
        with self._translated() as connection, connection.pipeline():
            connection.execute(_APPEND, (self.gate, places, rows, chains, size + len(rows), chain, self.gate))
            for id, envelope in envelopes:
                connection.execute(
                    "INSERT INTO watchword_handed VALUES (%s, %s, %s, false) ON CONFLICT DO NOTHING",
                    (self.gate, id, envelope),
                )
            connection.execute("COMMIT")
        self.size, self.chain = size + len(rows), chain
        self._stated = self.size, chain

    def give_up(self) -> None:
        """End a turn in which nothing was decided."""
        with self._translated() as connection:
            connection.execute("ROLLBACK")

    def start_over(self) -> None:
        """Read all receipts again, from the first on."""
        self.size, self.chain = 0, START

    # -- what people signed -----------------------------------------------------------------------

    def handed(self, id: str) -> bytes | None:
        """The envelope of a statement that was handed in with a receipt, whether it is in the ledger by now or not."""
        with self._translated() as connection:
            query = "SELECT envelope FROM watchword_handed WHERE gate = %s AND id = %s"
            row = connection.execute(query, (self.gate, id)).fetchone()
        return None if row is None else bytes(row[0])

    def waiting(self) -> list[tuple[str, bytes]]:
        """What was handed in and is not in the ledger yet: id and envelope."""
        with self._translated() as connection:
            query = "SELECT id, envelope FROM watchword_handed WHERE gate = %s AND NOT taken ORDER BY id LIMIT %s"
            return [(str(id), bytes(one)) for id, one in connection.execute(query, (self.gate, SHARED_PAGE))]

    def taken(self, id: str) -> None:
        """Remember that a statement is in the ledger."""
        with self._translated() as connection:
            connection.execute("UPDATE watchword_handed SET taken = true WHERE gate = %s AND id = %s", (self.gate, id))

    # -- beginning and end ------------------------------------------------------------------------

    def found(self, salted: Iterator[bytes]) -> Followed:
        """Begin to share a record that has these receipts; how far the home has followed it then.

        Raises:
            NotShared: the database has receipts of this gate that are not the first of these.
        """
        with self._translated() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(_TABLES)
            new = "INSERT INTO watchword_gate VALUES (%s, %s, true, 0, %s) ON CONFLICT DO NOTHING"
            connection.execute(new, (self.gate, FORMAT, START))
            there, chain = self._stands(connection.execute(_FOR_UPDATE, (self.gate,)).fetchone(), ended=True)
            while page := list(islice(salted, SHARED_PAGE)):
                rows = []
                for one in page:
                    self.chain = self._next(self.chain, one)
                    rows.append((self.gate, self.size, one, self.chain))
                    self.size += 1
                    if self.size == there and self.chain != chain:
                        raise self._another(there)
                with connection.cursor() as cursor:
                    fresh = [row for row in rows if row[1] >= there]
                    cursor.executemany("INSERT INTO watchword_receipts VALUES (%s, %s, %s, %s)", fresh)
            if self.size < there:
                raise self._another(there)
            connection.execute(
                "UPDATE watchword_gate SET size = %s, chain = %s, open = true WHERE gate = %s",
                (self.size, self.chain, self.gate),
            )
        return replace(self._point, size=self.size, chain=self.chain)

    def end(self) -> None:
        """Close the record to every process, in a turn that was begun."""
        with self._translated() as connection:
            connection.execute("UPDATE watchword_gate SET open = false WHERE gate = %s", (self.gate,))
            connection.execute("COMMIT")

    def go_on(self) -> None:
        """Read on from where the home has followed to."""
        self.size, self.chain = self._point.size, self._point.chain

    def reached(self) -> Followed:
        """How far was read, for the home to go on from."""
        return replace(self._point, size=self.size, chain=self.chain)

    # -- inside -----------------------------------------------------------------------------------

    def _next(self, chain: bytes, salted: bytes) -> bytes:
        return hmac.digest(self._key, chain + salted, "sha256")

    def _parsed(self, salted: bytes) -> dict[str, Any]:
        value: dict[str, Any] = parse_json(salted[SALT_BYTES:], f"{self._what()}, receipt", BODY_BYTES_MAX)
        return value

    def _turn(self, connection: Connection[Any]) -> tuple[tuple[Any, ...] | None, list[tuple[Any, ...]]]:
        """Take the turn; the gate's row, and the receipts that follow those that were read, with one round trip.

        * As one simple query: each part sees what was committed before it, so the receipts are all that the row counts.
          A pipeline would do, but psycopg ends one with a Flush, which stops the server's clock for SHARED_IDLE_S_MAX.
        * The row alone would keep two turns apart. But who waits for a row that changes loses its place to whoever
          comes just then; the advisory lock before it is given in the order in which it was asked for.
        """
        from psycopg import ClientCursor

        with ClientCursor(connection) as cursor:
            given = (_TURNS, self.gate, self.gate, self.gate, self.size, SHARED_PAGE)
            cursor.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {_IN_ORDER}; {_FOR_UPDATE}; {_PAGE}", given)
            cursor.nextset()
            cursor.nextset()
            row = cursor.fetchone()
            cursor.nextset()
            return row, cursor.fetchall()

    def _stands(self, row: tuple[Any, ...] | None, ended: bool = False) -> tuple[int, bytes]:
        if row is None or not (row[2] or ended):
            raise NotShared(f"{self._what()}: this record is not shared there any more", "watchword gate share URL")
        if row[3] != FORMAT:
            raise NotShared(f"{self._what()}: a record of the form {str(row[3])[:80]}", "a newer watchword keeps it")
        size, chain, least = int(row[0]), bytes(row[1]), max(self.size, self._point.size)
        if size < least or (size == self.size and chain != self.chain):
            raise PutBack(f"{self._what()}: has {size:,} receipts, not the {least:,} that were there before", _PUT_BACK)
        self._stated = size, chain
        return self._stated

    def _another(self, there: int) -> NotShared:
        return NotShared(
            f"{self._what()}: holds {there:,} receipts that are not the first of this home's",
            "name another database; or share from the home that followed it last",
        )

    def _what(self) -> str:
        return f"shared record of {self.gate}"

    @contextmanager
    def _translated(self) -> Iterator[Connection[Any]]:
        try:
            import psycopg
        except ImportError as error:
            raise NotShared("PostgreSQL needs its driver", "pip install 'watchword[postgresql]'") from error
        try:
            yield self._connected()
        except psycopg.Error as error:
            self.close()
            self._not_before = time.monotonic() + SHARED_PAUSE_S
            why = " ".join(str(error).split())[:300] or type(error).__name__
            raise StorageTrouble(
                f"{self._what()}: the database does not take it: {why}", "nothing is let go until it does; ask again"
            ) from error

    def _connected(self) -> Connection[Any]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if time.monotonic() < self._not_before:
            raise StorageTrouble(f"{self._what()}: the database was away a moment ago", "ask again")
        import psycopg

        made = psycopg.connect(
            self._point.url, autocommit=True, connect_timeout=SHARED_CONNECT_S_MAX, target_session_attrs="read-write",
            application_name="watchword gate", keepalives_idle=10, tcp_user_timeout=1000 * SHARED_WAIT_S_MAX,
        )  # fmt: skip
        for name, seconds in (
            ("idle_in_transaction_session_timeout", SHARED_IDLE_S_MAX), ("lock_timeout", SHARED_WAIT_S_MAX),
            ("statement_timeout", 2 * SHARED_WAIT_S_MAX),
        ):  # fmt: skip
            made.execute("SELECT set_config(%s, %s, false)", (name, f"{seconds}s"))
        kept = [made.execute(f"SHOW {name}").fetchone() for name in ("fsync", "full_page_writes")]
        if kept != [("on",), ("on",)]:
            made.close()
            raise StorageTrouble(
                f"{self._what()}: this server does not keep what it acknowledges", "fsync and full_page_writes are on"
            )
        if made.execute("SHOW synchronous_commit").fetchone() == ("off",):
            made.execute("SET synchronous_commit = on")
        self._connection = made
        return made


def share(node: Node, url: str) -> int:
    """Keep the receipts of *node*'s gate in the database at *url* from now on; how many there are.

    Raises:
        NotShared: it is shared already, or the database holds another record of this gate. StorageTrouble.
    """
    node.must_sign()
    if not url.startswith(("postgresql://", "postgres://")):
        raise NotShared("that is no URL of a PostgreSQL database", "postgresql://USER@HOST/DATABASE")
    if followed(node.home) is not None:
        raise NotShared(f"{node.home}: its record is shared already", "watchword gate unshare ends that first")
    receipts = node.store.receipts
    record = SharedRecord(Followed(url), node.member, node.secret)
    try:
        point = record.found(b"".join(receipts.get(index, ())) for index in range(len(receipts)))
        node.store.put_own(node.home / SHARED_FILE, point.encode())
    finally:
        record.close()
    return point.size


def unshare(node: Node) -> int:
    """End that: what is in the database is taken into the home, whose own the record is from now on.

    Raises:
        NotShared: it is not shared. StorageTrouble, PutBack: it stays as it was.
    """
    record = shared_record(node)
    if record is None:
        raise _own(node)
    try:
        _take(node, record, record.begin(ended=True))
        record.end()
    finally:
        record.close()
    with durable.translated(node.home):
        (node.home / SHARED_FILE).unlink()
        durable.sync_folder(node.home)
    return node.record_size()


def follow(node: Node) -> bool:
    """Take what is new in the shared record into the home of *node*, open for writing; False where it is its own.

    Raises:
        PutBack, StorageTrouble: nothing, or only a part, was taken; the next time goes on from there.
    """
    record = shared_record(node)
    if record is None:
        return False
    try:
        _take(node, record, record.look())
    finally:
        record.close()
    return True


def follow_if_there(node: Node) -> None:
    """The same as far as it goes: news from other members must come in while the database is away."""
    with suppress(StorageTrouble):
        follow(node)


def must_follow(node: Node) -> None:
    """The same, where there is one to follow. Raises NotShared."""
    if not follow(node):
        raise _own(node)


def _own(node: Node) -> NotShared:
    return NotShared(f"{node.home}: its record is its own", "watchword gate share URL")


def _take(node: Node, record: SharedRecord, stop: int) -> None:
    """Append to the home's file and to its ledger what the record has beyond them."""
    receipts = node.store.receipts
    record.go_on()
    begun, there = record.size, len(receipts)
    if begun > there:
        raise DamagedHome(f"{node.home}: has {there:,} receipts of the {begun:,} that it followed", "restore the home")
    salted = record.salted(stop)
    for index, one in enumerate(islice(salted, there - begun), begun):
        if one != b"".join(receipts.get(index, ())):
            raise PutBack(f"receipt {index} of the shared record of {record.gate} is not the one that this home has")
    while page := list(islice(salted, SHARED_PAGE)):
        receipts.follow(page, len(receipts))
    for id, envelope in record.waiting():
        try:
            node.append_envelope(envelope)
        except (NoStanding, Retired):
            continue  # under another charter by now, or between two ledgers: it stays where the gate finds it
        record.taken(id)
    if record.size > begun:
        node.store.put_own(node.home / SHARED_FILE, record.reached().encode())


_PUT_BACK = "nothing is decided on it; bring back the newest database, or share anew from the home that has most"
_LOCK = 0x77_77_67_31
"""Taken while the tables are made, among the advisory locks of a database."""
_TURNS = 0x77_77_67_32
"""Of a gate's turns, among the advisory locks of two keys."""
