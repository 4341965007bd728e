"""Every part that pages are made of, once, with invented content: for whoever writes a page or looks at its design."""

from __future__ import annotations

import msgspec

from watchword.web.console.knowledge import Snapshot
from watchword.web.console.table import Asked


class PatternsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The states that a mark can have, each with the word that stands beside it."""

    states: list[tuple[str, str]]


STATES = [("good", "met"), ("bad", "unmet"), ("warn", "waived"), ("none", "does not apply")]


def patterns(_: Snapshot, __: Asked) -> PatternsPage:
    """The page of patterns."""
    return PatternsPage(states=STATES)
