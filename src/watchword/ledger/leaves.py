"""The entries of a ledger: a version byte, a salted commitment, and where it must not be hidden a blinded name.

Follows docs/protocol.md, section 5. Pure.

* In ``ledger``: ``0x01 || commitment`` a statement, ``0x04 || commitment || blinded name`` what a decision may
  consider, so that those who do not hold its body know what it is about. In ``notices``: ``0x02 || commitment ||
  blinded name``. In ``record``: ``0x03 || commitment``, a receipt. 33, 65, 65 and 33 bytes, nothing else.
* A ledger with any other entry is not mirrored and not cosigned: whoever verifies a proof would refuse it whole.
* A body counts only under the leaf that is its own; under another one it is as if it were not held.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors import WatchwordError
from watchword.ledger.notices import filed_under
from watchword.statements.digests import blinded
from watchword.statements.statement import Statement

HASH_BYTES = 32
VERSION_OF = {("ledger", False): 1, ("notices", True): 2, ("record", False): 3, ("ledger", True): 4}
"""The version byte of a leaf, by the ledger's use and whether the leaf has a blinded name."""


class BadLeaf(WatchwordError):
    """An entry that is none of the four leaves, or stands in the wrong ledger."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry: ``commitment`` 32 bytes; ``blinded`` 32 bytes where it is filed under a name, else None."""

    commitment: bytes
    blinded: bytes | None = None


def leaf_of(statement: Statement, commitment: bytes, secret: bytes) -> Leaf:
    """The one leaf under which a body of *statement* counts; *secret*: the alliance's, 32 bytes.

    Raises:
        BadName: a notice whose target is not a name.
    """
    name = filed_under(statement)
    return Leaf(commitment, None if name is None else blinded(secret, name))


def encode(use: str, leaf: Leaf) -> bytes:
    """The entry for *leaf* in a ledger of *use* (``ledger``, ``notices`` or ``record``).

    Raises:
        BadLeaf: a notice without a name, a receipt with one, or a length that is not 32 bytes.
    """
    version = VERSION_OF.get((use, leaf.blinded is not None))
    parts = (leaf.commitment,) if leaf.blinded is None else (leaf.commitment, leaf.blinded)
    if version is None or any(len(part) != HASH_BYTES for part in parts):
        raise BadLeaf(f"no such leaf in a {use} ledger")
    return bytes([version]) + b"".join(parts)


def parse(use: str, entry: bytes, where: str = "entry") -> Leaf:
    """Read an entry of a ledger of *use*; *where* names it in an error.

    Raises:
        BadLeaf: another version or length than the ledger may hold.
    """
    version = VERSION_OF.get((use, len(entry) == 1 + 2 * HASH_BYTES))
    if len(entry) not in (1 + HASH_BYTES, 1 + 2 * HASH_BYTES) or entry[0] != version:
        first = f"0x{entry[0]:02x}" if entry else "nothing"
        raise BadLeaf(
            f"{where}: {len(entry)} bytes beginning with {first} are no leaf of a {use} ledger",
            "where its owner runs a newer watchword, upgrade this one; until then nothing past it is taken in here",
        )
    return Leaf(entry[1:33], entry[33:] or None)
