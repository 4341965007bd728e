"""What a gate knows now: the view, its facts, stops and bad news, and why there is no mandate.

* Good news comes in through the newest cosigned heads, bad news from whatever any process of this node took in.
* Looked at anew when anything on disk changed; what follows from it is worked out again only when it differs.
* Those who ask together are served by one look, made after the last of them asked.
* A view is kept for some seconds at most, because a cosignature from the future counts once its time has come.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.gate import authority
from watchword.gate.authority import Known, stop_of
from watchword.ledger.view import View
from watchword.statements.kinds import ANY_CHANNEL
from watchword.statements.statement import Signed
from watchword.statements.times import Clock

if TYPE_CHECKING:
    from watchword.node import Node

VIEW_KEPT_S = 10
"""Seconds for which a view is kept when nothing on disk changed."""


class Knowledge:
    """What *node* holds, read as often as it changes. For one thread at a time."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self.node = node
        self._clock = clock
        self._cosigned = node.home / "cosigned"  # of the same home, when another node over it follows
        self._cached: tuple[Any, Known] | None = None
        self._looked_s = 0.0
        self._viewed: tuple[Any, View] | None = None

    def known(self, asked_s: float | None = None) -> Known:
        """All that is held now.

        Args:
            asked_s: the moment (``time.perf_counter``) at which it was asked for; a look made since then serves.

        Raises:
            DamagedHome, DamagedBody: nothing is decided on damaged files.
        """
        if asked_s is not None and self._cached is not None and asked_s < self._looked_s:
            return self._cached[1]
        node, begun_s = self.node, time.perf_counter()
        stamp = node.stamp()
        view = self._view()
        if self._cached is not None and self._cached[0] == (view.digest, stamp):
            self._looked_s = begun_s
            return self._cached[1]
        facts = node.facts(view)
        holders = node.charter.holders
        stops = tuple(stop_of(signed, holders[signed.key_id]) for signed in node.stops())
        known = self._cached[1] if self._cached is not None else None
        if known is None or (known.view.digest, known.facts, known.stops) != (view.digest, facts, stops):
            known = Known(node.charter, view, facts, stops, authority.use_cases(facts, node.store.object))
        self._cached, self._looked_s = ((view.digest, stamp), known), begun_s
        return known

    def look_again(self) -> None:
        """Whatever was looked at before now serves nobody: the gate was closed meanwhile."""
        self._looked_s = 0.0

    def bad_news(self) -> list[Signed]:
        """Every notice held, from any channel, with standing or not."""
        everything = (*self.node.loose(), *self.node.statements())
        return [signed for signed in everything if signed.statement.kind in ANY_CHANNEL]

    def why_no_mandate(self, release: str) -> str:
        """Why no mandate of this member's is found: none was signed, or it waits for cosignatures."""
        name = self.node.member
        for origin, index, held in self.node.store.statements():
            statement = held.signed.statement
            if statement.kind == "mandate" and statement.issuer == name and statement.is_about(release):
                where = self.node.locator(origin, index)
                return f"no mandate is in the view: {where} waits for cosignatures; exchange with the other members"
        return f"no mandate for release {release} by {name} is in the view; a commander can sign one"

    def _view(self) -> View:
        # A cosignature from the future counts once its time has come: so the clock is part of what is asked.
        stamp = _stamp(self._cosigned), int(self._clock.now().timestamp()) // VIEW_KEPT_S
        if self._viewed is None or self._viewed[0] != stamp:
            self._viewed = stamp, self.node.latest_view()
        return self._viewed[1]


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file in *folder* was replaced."""
    with os.scandir(folder) as entries:
        return tuple(sorted((one.name, one.inode(), one.stat().st_mtime_ns) for one in entries))
