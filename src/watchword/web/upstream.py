"""An HTTP/1.1 client that streams and keeps its connections: what a door over HTTP needs of the server behind it.

Follows RFC 9112, by h11.

* One address only, that its operator named: no redirect is followed, no cookie kept, nothing proxied.
* A connection is used again for a short time (``_IDLE_S``, below any server's own), so that a server rarely closes one
  just when a request goes out. A request is never sent twice: when no answer comes, nobody knows what it did.
* Heads are bounded by h11; bodies by whoever reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

from watchword.errors import WatchwordError
from watchword.limits import UPSTREAM_CONNECT_S_MAX, UPSTREAM_IDLE_MAX

_IDLE_S = 2.0
_READ_BYTES = 65_536

Headers = list[tuple[bytes, bytes]]


class NoUpstream(WatchwordError):
    """The server behind a door does not answer. ``sent``: the request may have reached it."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    used: float = 0.0

    async def event(self) -> h11.Event:
        while (found := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(await self.reader.read(_READ_BYTES))
        return found  # type: ignore[return-value]

    def close(self) -> None:
        self.writer.close()


@dataclass
class Reply:
    """An answer whose head is here. ``chunks`` gives the body; ``close`` ends it wherever it is."""

    status: int
    headers: dict[bytes, bytes]
    _upstream: Upstream
    _line: _Line | None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            NoUpstream: it was cut off.
        """
        line = self._line
        if line is None:
            return
        try:
            while not isinstance(event := await line.event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif isinstance(event, h11.ConnectionClosed):
                    raise NoUpstream("the server's answer was cut off", sent=True)
        except (OSError, h11.ProtocolError) as error:
            raise NoUpstream(f"the server's answer was cut off: {error}", sent=True) from error
        self._line = None
        self._upstream.keep(line)

    def close(self) -> None:
        """Read no more. A connection with an answer half read is not used again."""
        if self._line is not None:
            self._line.close()
            self._line = None


class Upstream:
    """The server at *url*. For one event loop.

    Raises:
        WatchwordError: an address that is not http or https with a host.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise WatchwordError(f"{url[:200]}: not an address of an MCP server", "such as http://127.0.0.1:3000/mcp")
        self._host, self._tls = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self.path = parts.path or "/"
        self._named = parts.netloc.encode()
        self._context = ssl.create_default_context() if self._tls else None
        self._idle: list[_Line] = []

    async def ask(self, method: str, headers: Headers, body: bytes = b"") -> Reply:
        """Send one request; its answer, as soon as the head is here.

        Raises:
            NoUpstream: no connection, or no answer.
        """
        line = self._kept() or await self._connected()
        sent = False
        try:
            framed = [(b"host", self._named), (b"content-length", str(len(body)).encode()), *headers]
            head = line.http.send(h11.Request(method=method, target=self.path, headers=framed)) or b""
            data = line.http.send(h11.Data(data=body)) if body else b""
            line.http.send(h11.EndOfMessage())
            sent = True
            line.writer.write(head + (data or b""))
            await line.writer.drain()
            while not isinstance(event := await line.event(), h11.Response):
                if isinstance(event, h11.ConnectionClosed):
                    raise NoUpstream("the server closed the connection without an answer", sent=True)
        except (OSError, h11.ProtocolError) as error:
            line.close()
            raise NoUpstream(f"no answer of the server: {error}", sent=sent) from error
        except BaseException:
            line.close()
            raise
        return Reply(event.status_code, dict(event.headers), self, line)

    def keep(self, line: _Line) -> None:
        """Use a connection again, where both sides can."""
        with contextlib.suppress(h11.ProtocolError):
            line.http.start_next_cycle()
            if len(self._idle) < UPSTREAM_IDLE_MAX:
                line.used = time.monotonic()
                self._idle.append(line)
                return
        line.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if time.monotonic() - line.used < _IDLE_S and not line.reader.at_eof():
                return line
            line.close()
        return None

    async def _connected(self) -> _Line:
        try:
            async with asyncio.timeout(UPSTREAM_CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._context)
        except (OSError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            raise NoUpstream(f"{self._named.decode()}: cannot be reached: {why}", sent=False) from error
        return _Line(reader, writer)
