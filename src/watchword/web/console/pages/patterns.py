"""Every part that pages are made of, once, with invented content: for whoever writes a page or looks at its design."""

from __future__ import annotations

import msgspec

from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked


class State(msgspec.Struct, frozen=True):
    """A kind of mark, and a word that may stand beside it."""

    kind: str
    word: str


class PatternsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The states that a mark can have."""

    states: list[State]


STATES = [State("good", "met"), State("bad", "unmet"), State("warn", "waived"), State("none", "does not apply")]


def patterns(_: Snapshot, __: Asked) -> PatternsPage:
    """The page of patterns."""
    return PatternsPage(states=STATES)
