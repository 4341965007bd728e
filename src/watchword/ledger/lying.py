"""A statement whose envelope stays on the disk: two thirds of one are its signature, for which few ask again.

* It is made from a body that matched its commitment, and whose envelope was opened strictly, and its signature
  verified, under that very commitment before (``ledger.verified``): it is the statement that was found then.
* Its envelope is read again each time it is asked for, and compared with its commitment: what was changed since is
  damaged, and what was purged since is gone.
"""

from __future__ import annotations

import sys

from watchword.ledger.bodies import Bodies, DamagedBody
from watchword.statements import dsse
from watchword.statements.statement import Signed, Statement, reopen


class Lying(Signed):
    """``Signed``, with its envelope in a node's bodies; made by ``lying``."""

    __slots__ = ("_bodies", "_commitment")
    _bodies: Bodies
    _commitment: bytes

    def __new__(cls, statement: Statement, key_id: str, signature: bytes, envelope: bytes) -> Signed:  # type: ignore[misc]
        """One that is whole: what ``dataclasses.replace`` makes of one that is not."""
        return Signed(statement, key_id, signature, envelope)

    @property
    def envelope(self) -> bytes:
        """As it lies there.

        Raises:
            DamagedBody: it was changed, or purged. StorageTrouble: it cannot be read.
        """
        found = self._bodies.get(self._commitment)
        if found is None:
            raise DamagedBody(f"body {self._commitment.hex()}: gone since it was read", "try again")
        return found[1].removesuffix(b"\n")

    @property
    def signature(self) -> bytes:
        """Of its envelope; raises as that."""
        return dsse.parse(self.envelope).signatures[0].sig


def lying(bodies: Bodies, commitment: bytes, body: bytes) -> Lying:
    """The statement in *body*, which matched *commitment*, under which it was verified before."""
    statement, key_id = reopen(body)
    made = object.__new__(Lying)
    # Of key ids there are few, and millions of statements.
    for name, value in (
        ("statement", statement), ("key_id", sys.intern(key_id)), ("_bodies", bodies), ("_commitment", commitment),
    ):  # fmt: skip
        object.__setattr__(made, name, value)
    return made
