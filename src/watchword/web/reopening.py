"""A door that stands open for longer than a charter: it answers from the node as the charter in force has it.

* Before each answer it looks whether the home's charter is another one by now, or one that waits there is in force.
  Then the node is opened anew, which takes the step, and the routes are made anew: other origins, keys, members.
* While that does not succeed, nothing is answered (503): a witness must not sign with a key that was retired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword.errors import WatchwordError
from watchword.node import Node
from watchword.node.stepping import refuse_if_due
from watchword.observe import steps


class Reopening:
    """*make* of an open node, made again over it whenever it is under another charter."""

    def __init__(self, node: Node, make: Callable[[Node], ASGIApp]) -> None:
        self._node = node
        self._make = make
        self._app = make(node)
        self._seen = self._stamp()
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._due():
                async with self._turn:
                    if self._due():
                        await run_in_threadpool(self._open_anew)
        except (WatchwordError, OSError) as error:
            steps.trouble(error)
            await Response("this node is on its way to its next charter\n", 503)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _stamp(self) -> tuple[int, int]:
        status = (self._node.home / "charter.json").stat()
        return status.st_ino, status.st_mtime_ns

    def _due(self) -> bool:
        try:
            refuse_if_due(self._node.home, self._node.clock)
        except WatchwordError:
            return True
        return self._stamp() != self._seen

    def _open_anew(self) -> None:
        # Looked at before: should the charter change once more meanwhile, the next answer opens anew again.
        old, seen = self._node, self._stamp()
        node = Node.open(old.home, clock=old.clock, passphrase=old.keys.passphrase_for_new())
        refuse_if_due(node.home, node.clock)
        self._app, self._node, self._seen = self._make(node), node, seen
        # Answers that are under way read files, which stay; the old node holds no lock.
        old.close()
