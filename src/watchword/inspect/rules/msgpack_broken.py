"""msgpack-broken: A MessagePack file is not well-formed. Reported by the reader that met it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="msgpack-broken",
    title="A MessagePack file is not well-formed",
    verdict=Verdict.UNREADABLE,
    severity="medium",
    confidence="high",
    atlas=("AML.T0076",),
    why="The file breaks off, or a length in it leads out of it, so part of it was not seen.",
    remediation="Ask the supplier to save the parameters again.",
)
