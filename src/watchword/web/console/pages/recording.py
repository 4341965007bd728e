"""Where a statement that was signed elsewhere is handed in: who may say what, and how much is taken."""

from __future__ import annotations

import msgspec

from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked


class KindRow(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of statement, and the roles whose word on it has standing."""

    kind: str
    roles: list[str]


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken: one statement of at most ``bytes_max``."""

    member: str
    as_of: str
    bytes_max: int
    kinds: list[KindRow]
    commands: list[str]


def record(known: Snapshot, _: Asked) -> RecordPage:
    """The standing of the charter in force."""
    return RecordPage(
        member=known.member, as_of=known.as_of, bytes_max=ENVELOPE_BYTES_MAX,
        kinds=[KindRow(kind=kind, roles=list(roles)) for kind, roles in sorted(known.charter.standing.items())],
        commands=["watchword ledger append statement.json", "watchword notice take notice.json"],
    )  # fmt: skip
