"""Bodies of leaves on a node's disk, found by their salted commitment.

Follows docs/protocol.md, section 5: a file ``sha256/<commitment hex>`` holds ``salt || body``.

* A body is durable, file and name, when ``put`` returns; a leaf that commits to it is appended only after that.
* What is read is checked against its commitment: a damaged body is an error that names the file, never an absence.
* A purged body is gone with its salt; the leaf stays provable and can no longer be matched by guessing the body.
* Not decided here: who may see a body (see ``ledger.exchange``).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import BODY_BYTES_MAX
from watchword.statements.digests import SALT_BYTES, commitment

_USUAL_BYTES, _FURTHER_BYTES = 16 * 1024, 1024 * 1024
"""Read at once: of a body, and of what is longer. Origin: an envelope has some 5 KB, 4 of them its signature."""


class DamagedBody(WatchwordError):
    """A body on disk that does not match the commitment it is filed under."""


class Bodies:
    """The bodies in one folder. One writer (the node's); readers need no lock, since files are replaced whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sha256"
        self._beginning = f"{self._folder}/"
        self._staging = folder / "staging" / str(os.getpid())

    def put(self, body: bytes, salt: bytes | None = None) -> bytes:
        """Store *body* durably and return its commitment; storing it again with the same salt changes nothing.

        Args:
            salt: 32 bytes; random when not given.

        Raises:
            StorageTrouble: the disk. Nothing was acknowledged.
        """
        return self.put_many([(salt or secrets.token_bytes(SALT_BYTES), body)])[0]

    def put_many(self, salted: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Store every (salt, body), synced in groups, and return their commitments; all are durable on return.

        Raises:
            StorageTrouble: the disk. Some may be stored; none is torn.
            DamagedBody: larger than BODY_BYTES_MAX.
        """
        commitments: list[bytes] = []
        files: dict[str, bytes] = {}
        there_already = False
        for salt, body in salted:
            if len(body) > BODY_BYTES_MAX:
                raise DamagedBody(f"body of {len(body):,} bytes: a node keeps bodies up to {BODY_BYTES_MAX:,}")
            commitments.append(commitment(salt, body))
            name = commitments[-1].hex()
            if self._is_there(name, salt, body):
                there_already = True
            else:
                files[name] = salt + body
        with durable.translated(self._folder):
            if there_already:
                # Its writer may have been killed between the name and the sync of the name.
                durable.sync_folder(self._folder)
            if not files:
                return commitments
            durable.make_folder(self._folder, 0o700)
            durable.make_folder(self._staging, 0o700)
            durable.replace_many(self._folder, files.items(), self._staging, 0o600)
        return commitments

    def get(self, wanted: bytes) -> tuple[bytes, bytes] | None:
        """The (salt, body) that *wanted* (32 bytes) commits to; None when it is not held.

        Raises:
            DamagedBody: what is on disk is not what was stored; names the file.
            StorageTrouble: it cannot be read.
        """
        # Read for every leaf; a Path and a file object cost more than the read.
        path = self._beginning + wanted.hex()
        try:
            data = _read(path)
        except FileNotFoundError:
            return None
        except OSError:
            with durable.translated(Path(path)):
                raise
        salt, body = data[:SALT_BYTES], data[SALT_BYTES:]
        if len(salt) != SALT_BYTES or commitment(salt, body) != wanted:
            raise DamagedBody(
                f"{path}: damaged, it does not match its commitment",
                "delete it and import it again from a member who holds it; nothing is decided on damaged bodies",
            )
        return salt, body

    def holds(self, wanted: bytes) -> bool:
        """Whether a body is there, unread."""
        # Asked for every leaf; a Path costs more than the look.
        return os.path.exists(self._beginning + wanted.hex())  # noqa: PTH110

    def all(self) -> set[str]:
        """The commitments (hex) of all bodies that are there, unread."""
        try:
            return {entry.name for entry in os.scandir(self._folder)}
        except FileNotFoundError:
            return set()

    def purge(self, wanted: bytes) -> bool:
        """Delete a body and its salt; whether there was one. The leaf that commits to it stays.

        Raises:
            StorageTrouble: the disk.
        """
        path = self._folder / wanted.hex()
        with durable.translated(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            durable.sync_folder(self._folder)
        return True

    def _is_there(self, name: str, salt: bytes, body: bytes) -> bool:
        """Whether exactly this is stored; a damaged file is written anew."""
        path = self._folder / name
        return path.exists() and path.read_bytes() == salt + body


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Room for a usual one: to ask for its size, or to make room for the largest, costs as much as reading it.
        first = os.read(descriptor, _USUAL_BYTES)
        parts, left = [first], SALT_BYTES + BODY_BYTES_MAX + 1 - len(first)
        while left > 0 and (part := os.read(descriptor, min(left, _FURTHER_BYTES))):
            parts.append(part)
            left -= len(part)
        return first if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(descriptor)
