"""Bounded HTTP from another node: what a peer may make us read, and for how long.

The peer is hostile until what it sent has been verified. This room sees to it that asking costs no more than stated:

* One request ends FETCH_S_MAX seconds after it began, however slowly its answer drips in, head and trailers included.
* An answer is cut off at the bytes its asker allows, counted after decompression; gzip is the only coding taken.
* All answers of one ``Remote`` together have FETCH_RUN_BYTES_MAX bytes at most.
* No redirect is followed, no proxy of the environment asked, no cookie kept.
* Not here: whether what was fetched is true.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from watchword.errors import WatchwordError
from watchword.limits import FETCH_RUN_BYTES_MAX, FETCH_S_MAX
from watchword.observe import steps

_BYTES = {"Content-Type": "application/octet-stream"}
_GZIP_FRAME_BYTES = 4_096
"""What a gzip frame may have more than its content: incompressible data grows a little."""


class Unreachable(WatchwordError):
    """A node that does not answer, or not in time. Says nothing about its ledgers."""


class BadAnswer(WatchwordError):
    """An answer that is longer than allowed, coded in another way, or not HTTP. Convicts nobody."""


class Fetched(NamedTuple):
    """An answer: its status, its content (empty for 304), its entity tag."""

    status: int
    body: bytes
    etag: str


class Remote:
    """Another node, by the base of its addresses; one connection, kept open. Used by one thread at a time.

    ``requests`` and ``received`` (bytes of content) count what was asked and answered; ``date`` is that of the last
    answer, as it came.
    """

    def __init__(self, url: str, seconds_max: float = FETCH_S_MAX, run_bytes_max: int = FETCH_RUN_BYTES_MAX) -> None:
        self.url = check_url(url)
        self.requests = 0
        self.received = 0
        self.date = ""
        self._parts = urlsplit(self.url)
        self._seconds_max = seconds_max
        self._run_bytes_max = run_bytes_max
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, bytes_max: int, etag: str = "") -> Fetched:
        """GET *path* below the base.

        Args:
            bytes_max: of its content, decompressed.
            etag: what we hold already; the status is 304 when it is still that.

        Raises:
            Unreachable, BadAnswer: any status is returned, but nothing that breaks the module's rules.
        """
        return self._ask("GET", path, None, bytes_max, {"If-None-Match": etag} if etag else {})

    def post(self, path: str, body: bytes, bytes_max: int, headers: Mapping[str, str] = _BYTES) -> Fetched:
        """POST *body* to *path* below the base. Raises as ``get``."""
        return self._ask("POST", path, body, bytes_max, dict(headers))

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside -----------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: bytes | None, bytes_max: int, headers: dict[str, str]) -> Fetched:
        headers |= {"Accept-Encoding": "gzip, identity", "User-Agent": "watchword"}
        if steps.watched() and (trace := steps.traceparent()) is not None:
            headers["traceparent"] = trace
        where = f"{self.url}{path}"
        kept = self._connection is not None
        try:
            return self._once(method, path, body, min(bytes_max, self._run_bytes_max - self.received), headers)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            # A connection that was kept may have been closed meanwhile: once more, on a new one.
            if kept and isinstance(error, ConnectionError | http.client.RemoteDisconnected):
                return self._ask(method, path, body, bytes_max, headers)
            if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
                raise BadAnswer(f"{where}: not an answer in HTTP ({type(error).__name__})") from error
            late = isinstance(error, TimeoutError)
            why = f"no whole answer within {self._seconds_max:g} s" if late else error.strerror or str(error)
            raise Unreachable(f"{where}: {why}", "nothing from it was used; try again later") from error
        except BaseException:
            self.close()
            raise

    def _once(self, method: str, path: str, body: bytes | None, bytes_max: int, headers: dict[str, str]) -> Fetched:
        until = time.monotonic() + self._seconds_max
        connection = self._connection = self._connection or self._connect()
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(self._seconds_max)
        connection.response_class = lambda sock, **named: http.client.HTTPResponse(  # type: ignore[assignment]
            _Timed(sock, until),  # type: ignore[arg-type]
            **named,
        )
        connection.request(method, f"{self._parts.path}{path}", body, headers)
        self.requests += 1
        answer = connection.getresponse()
        self.date = answer.getheader("Date") or ""
        content = _content(answer, bytes_max, f"{self.url}{path}")
        self.received += len(content)
        if not answer.isclosed():
            self.close()
        return Fetched(answer.status, content, answer.getheader("ETag") or "")

    def _connect(self) -> http.client.HTTPConnection:
        made: http.client.HTTPConnection
        if self._parts.scheme == "https":
            made = http.client.HTTPSConnection(self._parts.netloc, timeout=self._seconds_max)
        else:
            made = http.client.HTTPConnection(self._parts.netloc, timeout=self._seconds_max)
        made.connect()
        if made.sock.family != socket.AF_UNIX:
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


def check_url(url: str) -> str:
    """The base of a node's addresses, ending in a slash.

    Raises:
        BadAnswer: not ``http(s)://host[:port]/path``, or with a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or parts.query or parts.fragment or not url.isascii() or not url.isprintable():
        raise BadAnswer(f"{url[:120]!r} is not the address of a node", "such as https://alfa.example/")
    return url.rstrip("/") + "/"


class _Timed(io.RawIOBase):
    """The reading side of a socket, until a moment: every wait is for what is left, so a drip does not prolong it."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _: str) -> io.BufferedReader:
        """What ``HTTPResponse`` asks a socket for."""
        return io.BufferedReader(self, 65_536)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _content(answer: http.client.HTTPResponse, bytes_max: int, where: str) -> bytes:
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise BadAnswer(f"{where}: coded as {coding[:40]!r}, neither plain nor gzip")
    raw_max = bytes_max + (_GZIP_FRAME_BYTES if coding == "gzip" else 0)
    parts, size = [], 0
    while size <= raw_max and (part := answer.read(min(raw_max + 1 - size, 65_536))):
        parts.append(part)
        size += len(part)
    if answer.length and size <= raw_max:
        raise BadAnswer(f"{where}: the answer ends {answer.length:,} bytes early")
    content = b"".join(parts)
    if size <= raw_max and coding == "gzip" and content:
        content = _unpacked(content, bytes_max, where)
    if size > raw_max or len(content) > bytes_max:
        raise BadAnswer(f"{where}: more than {bytes_max:,} bytes", "nothing of it was used")
    return content


def _unpacked(content: bytes, bytes_max: int, where: str) -> bytes:
    """One gzip member, at most one byte more than *bytes_max*: a bomb is not unfolded."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(content, bytes_max + 1)
    except zlib.error as error:
        raise BadAnswer(f"{where}: damaged gzip") from error
    if len(plain) <= bytes_max and (not unpacker.eof or unpacker.unused_data):
        raise BadAnswer(f"{where}: gzip that is cut off, or followed by something")
    return plain

