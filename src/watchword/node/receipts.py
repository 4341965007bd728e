"""The receipts of a node's gate: durable in one file, then leaves of its private record, then anchored.

    <home>/receipts     see ``ledger.journal``: what an answer of the gate rests on
    <home>/record/      a ledger whose leaves follow from it, unsigned until the head is published

* The leaves are made when somebody looks at the record; until then receipts cost one sync for as many as come at once.
* A receipt is read with the commitment of its leaf, where the record has it: a changed one is an error that says where.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.ledger import leaves
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.journal import Journal
from watchword.ledger.leaves import Leaf
from watchword.ledger.log import Log
from watchword.limits import BODY_BYTES_MAX, PENDING_ENTRIES_MAX
from watchword.node.recorded import DamagedHome, Recorded
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import SALT_BYTES, D, b64, commitment
from watchword.statements.statement import Subject

if TYPE_CHECKING:
    from watchword.node.node import Node

SHARED_FILE = "shared.json"
"""There, in a home whose receipts are kept in a database that several processes share (see ``sharing``)."""


class Receipts:
    """The receipts in one home. ``len`` counts durable ones; any thread may ask and append."""

    def __init__(self, home: Path, member: str, staging: Path, writing: bool) -> None:
        self._path = home / "receipts"
        self._shared = home / SHARED_FILE
        self._name = f"{member}/receipts"
        self.staging = staging
        self._writing = writing
        self._journal: Journal | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        journal = self._open()
        return 0 if journal is None else len(journal)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def append(self, events: Sequence[dict[str, Any]], at: int | None = None) -> range:
        """Make *events* durable, with one sync; their indices. Arguments and errors as ``Node.append_record``."""
        if self._shared.exists():
            raise StorageTrouble(f"{self._path}: this record is shared; it follows what the gates decide", "ask again")
        return self._add([os.urandom(SALT_BYTES) + canonical(event) for event in events], at)

    def follow(self, salted: Sequence[bytes], at: int) -> None:
        """Append receipts of the shared record as they stand there, the first at *at*. Errors as ``append``."""
        self._add(salted, at)

    def get(self, index: int, known: Sequence[Leaf]) -> tuple[bytes, bytes]:
        """The (salt, body) of a receipt; *known*: the leaves of the record, as far as it has them.

        Raises:
            DamagedHome: it is gone, or not what its leaf commits to.
        """
        journal = self._open()
        if journal is None or index >= len(journal):
            raise DamagedHome(f"{self._path}: the body of receipt {index} is gone")
        salt, body = journal.read(index)
        if index < len(known) and commitment(salt, body) != known[index].commitment:
            raise DamagedHome(f"{self._path}: receipt {index} does not match its commitment")
        return salt, body

    def events(self, start: int, known: Sequence[Leaf]) -> list[dict[str, Any]]:
        """The receipts from index *start* on, as JSON data. Raises as ``get``."""
        size = max(len(self), len(known))
        bodies = ((index, self.get(index, known)[1]) for index in range(start, size))
        return [parse_json(body, f"{self._path}, receipt {index}", BODY_BYTES_MAX) for index, body in bodies]

    def lead(self, record: Log) -> None:
        """Append to *record* the leaves of receipts that it has not yet, as many as may wait there for publication.

        Raises:
            DamagedHome: it has more leaves than there are receipts.
        """
        journal = self._open()
        there = 0 if journal is None else len(journal)
        if there < record.size:
            raise DamagedHome(f"{self._path}: the body of receipt {there} is gone")
        stop = min(there, record.published_size + PENDING_ENTRIES_MAX)
        if journal is not None and stop > record.size:
            commitments = [commitment(*journal.read(index)) for index in range(record.size, stop)]
            record.append([leaves.encode("record", Leaf(one)) for one in commitments])

    def _add(self, salted: Sequence[bytes], at: int | None) -> range:
        journal = self._open()
        if journal is None:
            raise DamagedHome(f"{self._path}: opened for reading only")
        return journal.add(salted, at)

    def _open(self) -> Journal | None:
        with self._lock:
            if self._journal is None:
                self._journal = Journal.at(self._path, self._name, self.staging, self._writing)
            elif not self._writing:
                self._journal.refresh()
            return self._journal


def publish(node: Node) -> None:
    """Publish the record of *node* with all its receipts, signed by the key of its ledgers."""
    record = node.record
    # Of a gate that was never asked, too: that nothing is in its record is what a proof shows.
    while record.checkpoint() is None or record.published_size < len(node.store.receipts):
        record.publish(node.keys.job("ledger"), node.store.now_s())


def anchor(node: Node) -> Recorded | None:
    """Publish the record's head and anchor it in the shared ledger; None when nothing new was recorded."""
    if len(node.store.receipts) == _anchored_size(node) or node.store.retired(node.me.origins["ledger"]):
        return None
    publish(node)
    record = node.record
    text = (record.checkpoint() or b"").partition(b"\n\n")[0] + b"\n"
    size = record.published_size
    fields = {"origin": record.origin, "root": b64(record.root(size)), "size": size}
    return node.sign_and_append("record-head", (Subject(record.origin, D(text)),), fields)


def _anchored_size(node: Node) -> int:
    for leaf in reversed(node.store.leaves(node.me.origins["ledger"])):
        held = node.store.held(leaf.commitment)
        if held is None or held.holder is None or held.holder.owner != node.member:
            continue
        said = held.signed.statement
        if said.kind == "record-head" and said.predicate["origin"] == node.me.origins["record"]:
            return int(said.predicate["size"])
    return 0
