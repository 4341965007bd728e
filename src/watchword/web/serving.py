"""The process that answers over HTTP, and what a hostile client can cost it.

* A request's head is whole SERVE_HEAD_S_MAX seconds after its first byte, its answer out SERVE_REQUEST_S_MAX after
  that (or what a door says that streams), however slowly it is read; otherwise the connection ends.
* SERVE_CONNECTIONS_MAX connections at a time; more are told to come again (503).
* Bodies are read up to the limit of what they are for (see ``ledgers``).
* An end (SIGTERM, SIGINT) lets running answers finish.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import h11
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from watchword.errors import WatchwordError
from watchword.limits import MCP_END_S, SERVE_CONNECTIONS_MAX, SERVE_HEAD_S_MAX, SERVE_REQUEST_S_MAX
from watchword.web.observed import Observed

_KEEP_ALIVE_S = 60


class CannotServe(WatchwordError):
    """The address is taken or not this machine's, or the TLS files do not fit."""

    about_machine = True


class Patience(H11Protocol):
    """HTTP/1.1 with an end to waiting for a request's head, which uvicorn has not."""

    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(binary_form=True)
        if shown:
            self.app = WithCertificate(self.app, hashlib.sha256(shown).hexdigest())
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            if self.head_timer is None:
                self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self.head_timer = self.loop.call_later(SERVE_HEAD_S_MAX, self.transport.abort)

    def _stop(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


class WithCertificate:
    """Puts the SHA-256 of the certificate that the client of a connection showed into each scope of it.

    What it shows was checked by TLS: only certificates that ``server`` was given are let in.
    """

    def __init__(self, inner: ASGIApp, digest: str) -> None:
        self._inner = inner
        self._digest = digest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["watchword.certificate"] = self._digest
        await self._inner(scope, receive, send)


class Beside:
    """Two applications at one address: *second* answers at and below *path*, *first* everywhere else."""

    def __init__(self, first: ASGIApp, second: ASGIApp, path: str) -> None:
        self._first, self._second, self._path = first, second, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        below = path == self._path or path.startswith(f"{self._path}/")
        await (self._second if below else self._first)(scope, receive, send)


class Deadline:
    """Ends what is not answered, and read by its asker, *answer_s* after its head."""

    def __init__(self, inner: ASGIApp, answer_s: float) -> None:
        self._inner = inner
        self._answer_s = answer_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._answer_s):
                await self._inner(scope, receive, sent)
        except TimeoutError:
            if begun:
                raise  # uvicorn closes the connection: the answer stays cut off
            headers = [(b"content-length", b"0"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 408, "headers": headers})
            await send({"type": "http.response.body", "body": b""})


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address.

    Raises:
        CannotServe: taken, or not this machine's.
    """
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotServe(f"{host}:{port}: {error.strerror}", "name another with --host and --port") from error
    # Connections inherit it: head and body of an answer are written apart, and must not wait for each other.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def server(
    app: ASGIApp,
    certificate: Path | None,
    key: Path | None,
    ready: Callable[[], None],
    answer_s: float | None = None,
    clients: Sequence[str] = (),
    told: bool = True,
) -> uvicorn.Server:
    """A server; ``run([socket])`` answers until SIGTERM or SIGINT, or until its ``should_exit`` is set.

    Args:
        answer_s: from a request's head to the last byte of its answer; by default SERVE_REQUEST_S_MAX. A door that
            streams for longer does not wait for its streams at an end.
        certificate, key: PEM files for TLS; without them plain HTTP, for a proxy in front or a closed network.
        ready: called once, when the first request can come.
        clients: files (PEM) of the certificates that a client may show; it need not show one.
        told: whether each request is a step for those who watch this process.

    Raises:
        CannotServe: the TLS files.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    end_s = SERVE_REQUEST_S_MAX if answer_s is None else MCP_END_S
    answers: ASGIApp = Deadline(app, answer_s or SERVE_REQUEST_S_MAX)
    config = uvicorn.Config(
        Observed(answers) if told else answers, http=Patience, ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=SERVE_CONNECTIONS_MAX,
        timeout_keep_alive=_KEEP_ALIVE_S, timeout_graceful_shutdown=int(end_s),
        ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
    try:
        config.load()
        if clients and config.ssl is not None:
            config.ssl.verify_mode = ssl.CERT_OPTIONAL
            for path in clients:
                config.ssl.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise CannotServe(f"TLS: {error}", "give --tls-certificate and --tls-key as PEM files that fit") from error

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    return Announced(config)
