"""What a member's people and timers do, as one process: record statements, publish, sync from peers, cosign.

``python -m benchmarks.soak.member PLAN`` with a JSON object of the member's ``home``, ``peers`` (member: address),
``clock`` and ``told`` files, ``seed``, ``pause_s`` and ``catalog`` (a URL, or null). What was acknowledged is written
to ``told`` after it was, a line each; the process may be killed at any moment.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.soak.alliance import TARGET
from benchmarks.soak.clocked import follow
from watchword.errors import WatchwordError
from watchword.node import Node
from watchword.node.sync import silent, sync
from watchword.statements.digests import D
from watchword.statements.statement import Subject

INSPECTION: dict[str, Any] = {
    "tool": {"name": "soak", "version": "1", "rules": D(b"")}, "verdict": "nothing-found", "files": 1, "bytes": 1,
    "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
}  # fmt: skip
PEERS_AT_ONCE = 3
"""Of how many peers a member asks in a round, drawn each time. Origin: news reach eight members in two rounds."""
ANCHORED_EVERY = 4


class Member:
    """The work of one member; ``told`` is what others may rely on."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._home, self._peers = Path(plan["home"]), plan["peers"]
        self._draw = random.Random(f"{plan['seed']} {os.getpid()}")
        self._told = Path(plan["told"])
        self._catalog = plan["catalog"]
        self._knows = False
        self._round = 0

    def tell(self, what: str, **more: Any) -> None:
        with self._told.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at_s": time.time(), "what": what, **more}) + "\n")

    def turn(self) -> None:
        """One round: each piece of work opens the node as a command would."""
        self._round += 1
        for work in (self._say, self._sync, self._project):
            try:
                work()
            except WatchwordError as error:
                self.tell("trouble", work=work.__name__.strip("_"), error=type(error).__name__, why=str(error))

    def _say(self) -> None:
        subject = (Subject("work", D(os.urandom(16))),)
        with Node.open(self._home, writing=True) as here:
            done = here.sign_and_append("inspection", subject, INSPECTION)
            self.tell("said", id=done.id, origin=done.origin, index=done.index)
            here.publish()

    def _sync(self) -> None:
        if self._round % ANCHORED_EVERY == 0:
            with Node.open(self._home, writing=True) as here:
                here.anchor_record()
                here.publish()
        for name in self._draw.sample(sorted(self._peers), min(PEERS_AT_ONCE, len(self._peers))):
            began = time.time()
            if quiet := silent({name: self._peers[name]}):
                self.tell("peer's trouble", peer=name, about=name, why=quiet[0].troubles[0][1])
                continue
            with Node.open(self._home, writing=True) as here:
                opened = time.time()
                (one,) = sync(here, {name: self._peers[name]})
                # From here on bad news that came counts in every process of this node, from its next question on.
                if not self._knows and any(_recalls(notice) for notice in here.loose()):
                    self._knows = True
                    self.tell("knows")
            self.tell("synced", peer=name, waited_s=opened - began, took_s=time.time() - opened, bytes=one.bytes)
            for what, why in one.troubles:
                self.tell("peer's trouble", peer=name, about=what, why=why)
            for fork in one.forks:
                self.tell("fork", peer=name, origin=fork.origin)

    def _project(self) -> None:
        if self._catalog is not None and self._round % ANCHORED_EVERY == 1:
            from watchword.catalog.database import open_catalog
            from watchword.node.cataloguing import bring_up

            catalog = open_catalog(self._catalog)
            try:
                with Node.open(self._home) as here:
                    bring_up(here, catalog)
            finally:
                catalog.close()


def _recalls(signed: Any) -> bool:
    return bool(signed.statement.kind == "recall" and signed.statement.predicate.get("target") == TARGET)


def main(plan: dict[str, Any]) -> None:
    """Work until killed."""
    follow(Path(plan["clock"]))
    member, draw = Member(plan), random.Random(plan["seed"])
    while True:
        member.turn()
        time.sleep(plan["pause_s"] * (0.5 + draw.random()))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
