"""The entries of a ledger: a version byte and a salted commitment, and for a notice the name it is filed under.

Follows docs/protocol.md, section 5. Pure.

* ``0x01 || commitment`` a statement, only in ``ledger``; ``0x02 || commitment || blinded name`` a notice, only in
  ``notices``; ``0x03 || commitment`` a receipt, only in ``record``. 33, 65 and 33 bytes, nothing else.
* A ledger with any other entry is not mirrored and not cosigned: whoever verifies a proof would refuse it whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors import WatchwordError

HASH_BYTES = 32
VERSION_OF = {"ledger": 1, "notices": 2, "record": 3}
"""What kind of leaf each ledger of a member holds, by the ledger's use."""


class BadLeaf(WatchwordError):
    """An entry that is none of the three leaves, or stands in the wrong ledger."""


@dataclass(frozen=True)
class Leaf:
    """One entry: ``commitment`` 32 bytes; ``blinded`` 32 bytes for a notice, else None."""

    commitment: bytes
    blinded: bytes | None = None


def encode(use: str, leaf: Leaf) -> bytes:
    """The entry for *leaf* in a ledger of *use* (``ledger``, ``notices`` or ``record``).

    Raises:
        BadLeaf: a notice without a name, another with one, or a length that is not 32 bytes.
    """
    if (leaf.blinded is None) == (use == "notices") or len(leaf.commitment) != HASH_BYTES:
        raise BadLeaf(f"no such leaf in a {use} ledger")
    return bytes([VERSION_OF[use]]) + leaf.commitment + (leaf.blinded or b"")


def parse(use: str, entry: bytes, where: str = "entry") -> Leaf:
    """Read an entry of a ledger of *use*; *where* names it in an error.

    Raises:
        BadLeaf: another version or length than the ledger may hold.
    """
    version, length = VERSION_OF[use], 1 + HASH_BYTES * (2 if use == "notices" else 1)
    if len(entry) != length or entry[0] != version:
        first = f"0x{entry[0]:02x}" if entry else "nothing"
        raise BadLeaf(
            f"{where}: {len(entry)} bytes beginning with {first}, a {use} ledger holds leaves of {length} bytes "
            f"beginning with 0x{version:02x}"
        )
    return Leaf(entry[1:33], entry[33:] or None)
