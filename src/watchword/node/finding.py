"""What a look at a node finds: one thing, its state, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["well", "look", "ill"]


@dataclass(frozen=True)
class Found:
    """What one check found. ``mend``: what to type or do; empty where nothing is to be done."""

    about: str
    state: State
    what: str
    mend: str = ""

    def value(self) -> dict[str, str]:
        """As JSON data."""
        return {"about": self.about, "mend": self.mend, "state": self.state, "what": self.what}
