"""Every request as a step: which route, which status, how long until its last byte.

* Of a request its method, its route's pattern and its status are told. Its path, query, headers, body and address are
  not: they hold tokens, names and what was asked.
* What no door expected is trouble that the operator is told of; an asker who goes away is none.
* A ``traceparent`` (W3C Trace Context) makes it part of its caller's trace; that authorises nothing.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchword.observe import steps
from watchword.web.routes import PATTERN

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
NO_ROUTE = "none"


class Observed:
    """*inner*, with each of its answers told."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not steps.watched():
            await self._answered(scope, receive, send)
            return
        caused_by = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        method = scope["method"] if scope["method"] in METHODS else "other"
        with steps.step("request", caused_by=caused_by.decode("latin-1"), method=method) as this:
            status = 0

            async def sent(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await self._answered(scope, receive, sent)
            finally:
                this.facts |= {"route": scope.get(PATTERN, NO_ROUTE), "status": status}
                this.outcome = _outcome(status)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._inner(scope, receive, send)
        except (ClientDisconnect, TimeoutError):  # the asker's doing
            raise
        except Exception as error:
            steps.trouble(error)  # the server closes the connection, and says it to nobody
            raise


def _outcome(status: int) -> str:
    """``answered``, ``refused`` (4xx), ``failed`` (5xx), or ``cut``: nothing was answered."""
    return "cut" if status == 0 else "answered" if status < 400 else "refused" if status < 500 else "failed"
