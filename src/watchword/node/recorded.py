"""What a node tells of its statements and ledgers, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from watchword.charter.charter import KeyHolder
from watchword.errors import WatchwordError
from watchword.ledger.exchange import KeptHead
from watchword.statements.statement import Signed
from watchword.statements.times import from_unix


class NotHere(WatchwordError):
    """A statement, person or member that this node does not know."""


class DamagedHome(WatchwordError):
    """A file of this home that is not what this node wrote there."""


class Retired(WatchwordError):
    """A ledger of this member that two histories were signed of: going on would be a third."""


@dataclass(frozen=True)
class Recorded:
    """A statement in a ledger of this node. ``locator`` is for people: ``ALFA#12``, ``ALFA/notices#3``."""

    id: str
    origin: str
    index: int
    locator: str
    envelope: bytes = field(repr=False)


@dataclass(frozen=True)
class Located:
    """A statement found here: where it stands first, and whose key made it when it has standing."""

    signed: Signed
    holder: KeyHolder | None
    origin: str
    index: int
    locator: str


@dataclass(frozen=True)
class HeadShown:
    """How far a ledger has come: ``size`` leaves held, ``cosigned_size`` under the newest head with a quorum.

    ``witnesses``: name and age in seconds of each cosignature on the newest head. ``time``: cosigned time, or None.
    """

    origin: str
    size: int
    cosigned_size: int
    time: str | None
    witnesses: tuple[tuple[str, int], ...]

    @property
    def waiting(self) -> int:
        """Leaves held that no quorum has cosigned yet."""
        return self.size - self.cosigned_size

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "cosigned_size": self.cosigned_size,
            "origin": self.origin,
            "size": self.size,
            "time": self.time,
            "witnesses": [{"age_s": age_s, "name": name} for name, age_s in self.witnesses],
        }


def head_shown(origin: str, held: int, heads: Sequence[KeptHead], now_s: int) -> HeadShown:
    """A shared ledger as a node knows it; *held* leaves, and the *heads* that it keeps, ascending."""
    cosigned = next((head for head in heads if head.time_s is not None), None)
    newest = sorted(heads[-1].times.items()) if heads else []
    return HeadShown(
        origin,
        held,
        cosigned.checkpoint.size if cosigned else 0,
        from_unix(cosigned.time_s) if cosigned and cosigned.time_s is not None else None,
        tuple((name, now_s - time_s) for name, time_s in newest),
    )
