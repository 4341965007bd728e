"""Which bodies were opened and verified here before, so that each is once, and not by every command that reads it.

* A file of commitments, 32 bytes each: under that commitment lies an envelope in its strict form, of a statement in its
  strict form, with a valid signature, both halves, by the key that it names. A body is compared with its commitment
  whenever it is read, and a key's id is the digest of the key: so this stays true under every charter. Who may say what
  is not remembered.
* What is strict is a version's word: the file begins with it, and another version begins anew.
* It is as private as the charter beside it, and who can write one can replace both. ``ledger check --signatures``
  believes neither: it opens and verifies anew.
* Lost, torn or cut short by a kill it costs time and nothing else; so it is not synced.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.bodies import Bodies
from watchword.ledger.merkle import HASH_BYTES
from watchword.limits import VERIFIED_BYTES_MAX
from watchword.statements.keys import PublicKey
from watchword.statements.kinds import KINDS
from watchword.statements.statement import open_envelope, verify

FORM = sha256("\n".join(("watchword-verified/2", __version__, *sorted(KINDS))).encode()).digest()
"""How the file begins: by what rules its bodies were opened."""


class Verified:
    """The memory in one file, read once, when first asked. The node's writer adds to it, and who serves the node."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[bytes] | None = None
        self._fresh: dict[bytes, None] = {}

    def __contains__(self, commitment: bytes) -> bool:
        if self._known is None:
            data = durable.read(self._path, VERIFIED_BYTES_MAX) or b""
            size = len(data) if data.startswith(FORM) else 0
            self._known = {data[at : at + HASH_BYTES] for at in range(len(FORM), size - HASH_BYTES + 1, HASH_BYTES)}
        return commitment in self._known

    def add(self, commitments: Iterable[bytes]) -> None:
        """These verify; remembered from now on, and on disk after ``keep``."""
        for commitment in commitments:
            if commitment not in self:
                self._fresh[commitment] = None
                if self._known is not None:
                    self._known.add(commitment)

    def keep(self) -> None:
        """Write down what was added."""
        fresh, self._fresh = self._fresh, {}
        if not fresh:
            return
        # A disk that does not take it is told by whatever must be on it.
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.pread(descriptor, len(FORM), 0) != FORM:
                    os.ftruncate(descriptor, 0)
                    durable.write_all(descriptor, FORM)
                # Behind the last whole one: a write that was cut short must not shift what follows it.
                size = os.fstat(descriptor).st_size // HASH_BYTES * HASH_BYTES
                if size + len(fresh) * HASH_BYTES <= VERIFIED_BYTES_MAX:
                    os.lseek(descriptor, size, os.SEEK_SET)
                    durable.write_all(descriptor, b"".join(fresh))
            finally:
                os.close(descriptor)


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
