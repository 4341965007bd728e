"""Which signatures were verified here before, so that each is verified once and not by every command that reads it.

* A file of commitments, 32 bytes each: the envelope under that commitment carries a valid signature, both halves, by
  the key that it names. An envelope is compared with its commitment whenever it is read, and a key's id is the digest
  of the key: so this stays true under every charter. Who may say what is not remembered.
* It is as private as the charter beside it. ``ledger check --signatures`` believes neither: it verifies anew.
* Lost, torn or cut short by a kill it costs time and nothing else; so it is not synced.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.bodies import Bodies
from watchword.ledger.merkle import HASH_BYTES
from watchword.limits import VERIFIED_BYTES_MAX
from watchword.statements.keys import PublicKey
from watchword.statements.statement import open_envelope, verify


class Verified:
    """The memory in one file. The node's writer adds to it; others read it once, when first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[bytes] | None = None
        self._fresh: dict[bytes, None] = {}

    def __contains__(self, commitment: bytes) -> bool:
        if self._known is None:
            data = durable.read(self._path, VERIFIED_BYTES_MAX) or b""
            self._known = {data[at : at + HASH_BYTES] for at in range(0, len(data) - HASH_BYTES + 1, HASH_BYTES)}
        return commitment in self._known

    def add(self, commitments: Iterable[bytes]) -> None:
        """These verify; remembered from now on, and on disk after ``keep``."""
        for commitment in commitments:
            if commitment not in self:
                self._fresh[commitment] = None
                if self._known is not None:
                    self._known.add(commitment)

    def keep(self) -> None:
        """Write down what was added; for the writer."""
        if not self._fresh:
            return
        # A disk that does not take it is told by whatever must be on it.
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Behind the last whole one: a write that was cut short must not shift what follows it.
                size = os.fstat(descriptor).st_size // HASH_BYTES * HASH_BYTES
                if size + len(self._fresh) * HASH_BYTES <= VERIFIED_BYTES_MAX:
                    os.lseek(descriptor, size, os.SEEK_SET)
                    durable.write_all(descriptor, b"".join(self._fresh))
            finally:
                os.close(descriptor)
        self._fresh = {}


def verifying(folder: Path, keys: Mapping[str, PublicKey], commitments: Iterable[bytes]) -> list[bytes]:
    """Those of *commitments* whose bodies, in *folder*, are signed by the key that they name; *keys* are by id."""
    bodies, good = Bodies(folder), []
    for commitment in commitments:
        # What is no statement, or not signed so, is left to whoever reads it: it counts nowhere, and says why.
        with suppress(WatchwordError):
            found = bodies.get(commitment)
            signed = None if found is None else open_envelope(found[1])
            if signed is not None and signed.key_id in keys:
                verify(signed, keys[signed.key_id])
                good.append(commitment)
    return good
