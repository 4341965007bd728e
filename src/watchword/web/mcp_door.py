"""The MCP door over HTTP: clients at our address, one server at its own.

Follows the Model Context Protocol, 2025-11-25 and 2026-07-28, transports (streamable HTTP), and RFC 6750.

    POST     one message; its answer as JSON, or as a stream that may carry others before it
    GET      2025-11-25: what a server says unasked, or says again after a broken stream
    DELETE   2025-11-25: the end of a session

* A request names this host, and comes from no web page (``Origin``) but of this host: a page elsewhere must not reach a
  door on a person's own machine. Where there is a token, every request shows it; without one, only this machine's
  addresses are listened on (see ``cli.mcp``). No client's token goes to the server, which has one of its own.
* A session is the client's own: its labels, its listings, its holds. Messages of 2026-07-28 have no session; they share
  one conversation, so that what was read by one call counts for the next.
* Headers that repeat the body (2026-07-28) must say what the body says: somebody behind may go by them.
* A stream that ends without its answer: where its events have ids, the client may come back for it; else it is lost.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from watchword.errors import WatchwordError
from watchword.gate.mcp.conversation import Conversation, Door, Turn
from watchword.gate.mcp.message import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    META,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    MODERN,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
    BadMessage,
    Message,
    parse_message,
    refusal,
)
from watchword.limits import MCP_LINE_BYTES_MAX, MCP_SESSIONS_MAX
from watchword.statements.canonical import canonical
from watchword.web.events import Events
from watchword.web.headers import mismatch
from watchword.web.routes import PATTERN
from watchword.web.upstream import Headers, NoUpstream, Reply, Upstream

SESSION = "mcp-session-id"
VERSION = "mcp-protocol-version"
_PASSED_ON = ("accept", VERSION, SESSION, "last-event-id", "mcp-method", "mcp-name")
_PASSED_BACK = (b"content-type", b"mcp-session-id", b"cache-control", b"allow")
_STATUS = {
    PARSE_ERROR: 400, INVALID_REQUEST: 400, INVALID_PARAMS: 400, HEADER_MISMATCH: 400, MISSING_CAPABILITY: 400,
    UNSUPPORTED_PROTOCOL_VERSION: 400, METHOD_NOT_FOUND: 404,
}  # fmt: skip
"""2026-07-28: the status of an error's answer."""


@dataclass
class HttpDoor:
    """An ASGI application. ``hosts``: what ``Host`` may say; ``token``: what clients must show, if anything."""

    door: Door
    upstream: Upstream
    hosts: frozenset[str]
    token: str | None = None
    upstream_token: str | None = None
    _sessions: OrderedDict[str, Conversation] = field(default_factory=OrderedDict)
    _followed: set[asyncio.Task[None]] = field(default_factory=set)
    _lists: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        scope[PATTERN] = "mcp"
        request = Request(scope, receive)
        refused = self._guard(request)
        if refused is None:
            try:
                answer = self._post if request.method == "POST" else self._stream
                await answer(request, send)
            except ClientDisconnect:
                pass
            return
        await refused(scope, receive, send)

    def run(self, running: uvicorn.Server, bound: socket.socket) -> None:
        """Answer until *running* is told to end. What is under way then is lost."""

        async def answer() -> None:
            try:
                await running.serve([bound])
            finally:
                self.upstream.close()

        try:
            asyncio.run(answer())
        finally:  # an end by a signal is raised here
            for conversation in self._sessions.values():
                conversation.lost()

    def _guard(self, request: Request) -> Response | None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host.lower() not in self.hosts:
            return Response("this host has another name", 421)
        if origin is not None and origin.lower() not in {f"{scheme}://{one}" for one in self.hosts for scheme in _WEB}:
            return Response("a page of another origin", 403)
        shown = request.headers.get("authorization", "")
        if self.token is not None and not hmac.compare_digest(shown.encode(), f"Bearer {self.token}".encode()):
            return Response("a token is needed", 401, {"www-authenticate": "Bearer"})
        if request.url.path != self.upstream.path:
            return Response(f"the door is at {self.upstream.path}", 404)
        if request.method not in ("POST", "GET", "DELETE"):
            return Response(None, 405, {"allow": "POST, GET, DELETE"})
        return None

    # -- one message ------------------------------------------------------------------------------

    async def _post(self, request: Request, send: Send) -> None:
        version = request.headers.get(VERSION)
        try:
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return await _text(send, 415, "application/json is needed")
            message = parse_message(await _body(request))
        except BadMessage as error:
            return await _json(send, refusal(error.id, error.code, error.message), 400)
        modern = version in MODERN or message.version is not None
        if modern and message.is_request:
            wrong = _envelope(message, version) or mismatch(request.headers.items(), message)
            if wrong is not None:
                return await _json(send, refusal(message.id, *wrong), 400)
        conversation = self._conversation(request, message, modern)
        if conversation is None:
            return await _json(send, refusal(message.id, INVALID_REQUEST, "no such session"), 404)
        # Clients of 2026-07-28 share a conversation, and choose their ids each by himself.
        stream = request if modern else None
        turn = await asyncio.to_thread(conversation.from_client, message, version, stream)
        if turn.list_first:
            # One at a time: a second listing would begin the first anew just when who waited for it asks again.
            async with self._lists:
                if not conversation.is_listed:
                    await self._list(conversation, request, message)
            turn = await asyncio.to_thread(conversation.from_client, message, version, stream)
        if turn.list_first:
            turn = Turn(back=refusal(message.id, INTERNAL_ERROR, "the server does not list its tools"))
        if turn.back is not None:
            code = turn.back.get("error", {}).get("code")
            return await _json(send, turn.back, _STATUS.get(code, 200) if modern else 200)
        if turn.on is None:
            return await _empty(send, 202)
        await self._forward(_Relay(self, conversation, request, send, message, stream), turn)

    async def _forward(self, relay: _Relay, turn: Turn) -> None:
        """Send on what was allowed, and pass its answer back."""
        if turn.on is None:
            return
        try:
            reply = await self.upstream.ask("POST", self._headers(relay.request), turn.on.bytes)
        except NoUpstream as error:
            await relay.lost()
            refused = refusal(relay.asked and relay.asked.id, INTERNAL_ERROR, error.message)
            return await _json(relay.send, refused, 502)
        except asyncio.CancelledError:
            await relay.lost()
            raise
        if turn.done is not None:
            await asyncio.to_thread(relay.talk.settle, *turn.done)
        await relay.run(reply)

    async def _stream(self, request: Request, send: Send) -> None:
        """GET and DELETE of a session."""
        if request.headers.get(VERSION) in MODERN:
            return await _empty(send, 405, [(b"allow", b"POST")])
        name = request.headers.get(SESSION, "")
        conversation = self._sessions.get(name)
        if conversation is None:
            return await _text(send, 404 if name else 400, "no such session")
        try:
            reply = await self.upstream.ask(request.method, self._headers(request))
        except NoUpstream as error:
            return await _text(send, 502, error.message)
        if request.method == "DELETE" and reply.status < 300:
            self._sessions.pop(name, None)
            await asyncio.to_thread(conversation.lost)
        await _Relay(self, conversation, request, send, None).run(reply)

    async def _list(self, conversation: Conversation, request: Request, message: Message) -> None:
        """Ask the server for its tools, ourselves."""
        asked: Message | None = conversation.listing(meta=message.meta)
        while asked is not None:
            modern = message.version is not None
            own = [(b"mcp-method", b"tools/list")] if modern else []
            skipped = ("mcp-method", "mcp-name", "accept")
            headers = [one for one in self._headers(request, skipped) if not one[0].startswith(b"mcp-param-")]
            both = (b"accept", b"application/json, text/event-stream")
            try:
                reply = await self.upstream.ask("POST", [*headers, both, *own], asked.bytes)
                back = None
                async for found in _messages(reply):
                    turn = await asyncio.to_thread(conversation.from_server, found)
                    if turn.back is not None and found.id == asked.id:
                        back = turn.back
                    if found.id == asked.id:
                        break
                reply.close()
            except (NoUpstream, WatchwordError) as error:
                self.door.note(f"the server does not list its tools: {error.message}")
                return
            asked = None if back is None else parse_message(canonical(back))

    # -- sessions ---------------------------------------------------------------------------------

    def _conversation(self, request: Request, message: Message, modern: bool) -> Conversation | None:
        if not modern and message.method == "initialize":
            return Conversation(self.door)
        name = "" if modern else request.headers.get(SESSION, "")
        if modern and name not in self._sessions:
            self._sessions[name] = Conversation(self.door)
        found = self._sessions.get(name)
        if found is not None:
            self._sessions.move_to_end(name)
        return found

    async def remember(self, name: str, conversation: Conversation) -> None:
        """A server named a session: it is the one that was just begun."""
        self._sessions[name] = conversation
        while len(self._sessions) > MCP_SESSIONS_MAX:
            _, oldest = self._sessions.popitem(last=False)
            await asyncio.to_thread(oldest.lost)

    def _headers(self, request: Request, without: tuple[str, ...] = ()) -> Headers:
        headers = [
            (name.encode(), value.encode("latin-1"))
            for name, value in request.headers.items()
            if (name in _PASSED_ON or name.startswith("mcp-param-")) and name not in without
        ]
        if request.method == "POST":
            headers.append((b"content-type", b"application/json"))
        if self.upstream_token is not None:
            headers.append((b"authorization", f"Bearer {self.upstream_token}".encode()))
        return headers

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside what is being answered."""
        task = asyncio.create_task(work)
        self._followed.add(task)
        task.add_done_callback(self._followed.discard)

    async def tell_server(self, conversation: Conversation, request: Request, back: dict[str, Any]) -> None:
        """Answer a request of the server that its client never saw."""
        try:
            reply = await self.upstream.ask("POST", self._headers(request, ("last-event-id",)), canonical(back))
            reply.close()
        except NoUpstream as error:
            self.door.note(error.message)


_WEB = ("http", "https")


@dataclass
class _Relay:
    """One answer of the server on its way to a client. ``asked``: the request that it answers, if one."""

    http: HttpDoor
    talk: Conversation
    request: Request
    send: Send
    asked: Message | None
    stream: object = None
    _answered: bool = False
    _resumable: bool = False

    async def run(self, reply: Reply) -> None:
        """Pass it on; what became of the request is recorded behind it."""
        kind = reply.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        name = reply.headers.get(SESSION.encode(), b"").decode("latin-1")
        if self.asked is not None and self.asked.method == "initialize" and reply.status < 300:
            await self.http.remember(name, self.talk)
        gone: asyncio.Future[Any] = asyncio.ensure_future(self._gone())
        try:
            if kind == b"text/event-stream":
                await self._events(reply, gone)
            elif kind == b"application/json":
                await self._whole(reply)
            else:
                await self._plain(reply)
        except (NoUpstream, WatchwordError) as error:
            self.http.door.note(error.message)
            self._resumable = False
        finally:
            gone.cancel()
            reply.close()
            modern = self.asked is not None and self.asked.version is not None
            over = not self._answered and (modern or not self._resumable)
            if over:
                await self.lost()

    async def lost(self) -> None:
        """No answer comes."""
        if self.asked is not None and self.asked.is_request:
            await asyncio.to_thread(self.talk.lost, self.asked.id, self.stream)

    async def _gone(self) -> None:
        while (await self.request.receive())["type"] != "http.disconnect":
            pass

    async def _events(self, reply: Reply, gone: asyncio.Future[Any]) -> None:
        await self._head(reply.status, reply)
        events, chunks = Events(), reply.chunks()
        while True:
            coming: asyncio.Future[Any] = asyncio.ensure_future(anext(chunks, None))
            await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                return
            data = coming.result()
            if data is None:
                break
            for event in events.feed(data):
                self._resumable = self._resumable or event.has_id
                await self._event(event)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _event(self, event: Any) -> None:
        if not event.data:
            await self.send({"type": "http.response.body", "body": event.encode(), "more_body": True})
            return
        turn = await self._turn(parse_message(event.data.encode()))
        if turn.on is not None:
            body = event.encode(turn.on.bytes.decode())
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
        await self._follow(turn)

    async def _whole(self, reply: Reply) -> None:
        data = await _read(reply)
        if not data:
            return await self._plain(reply)
        message = parse_message(data)
        turn = await self._turn(message)
        body = b"" if turn.on is None else turn.on.bytes
        status = reply.status if turn.on is not None else 502
        if turn.on is not None and turn.on is not message and self.stream is not None:
            status = _STATUS.get(turn.on.value.get("error", {}).get("code"), status)
        await self._head(status, reply, len(body))
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
        await self._follow(turn)

    async def _plain(self, reply: Reply) -> None:
        # No message: only a status, and no more of it than that. A refusal (4xx) says that nothing was done.
        self._answered = 400 <= reply.status < 500
        if self.asked is not None and self.asked.id is not None and self._answered:
            error = refusal(self.asked.id, INTERNAL_ERROR, f"the server answers {reply.status}")
            await self._follow(await self._turn(parse_message(canonical(error))))
        await _read(reply)
        await self._head(reply.status, reply, 0)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _turn(self, message: Message) -> Turn:
        if message.method is None and self.asked is not None and message.id == self.asked.id:
            self._answered = True
        elif message.method is None and message.id is None:
            # An error that names no request, as the only answer there is: the server read none.
            self._answered = True
            return Turn(on=message)
        return await asyncio.to_thread(self.talk.from_server, message, self.stream)

    async def _follow(self, turn: Turn) -> None:
        if turn.back is not None:
            self.http.later(self.http.tell_server(self.talk, self.request, turn.back))
        if turn.done is not None:
            await asyncio.to_thread(self.talk.settle, *turn.done)

    async def _head(self, status: int, reply: Reply, length: int | None = None) -> None:
        headers = [(name, reply.headers[name]) for name in _PASSED_BACK if name in reply.headers]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})


def _envelope(message: Message, version: str | None) -> tuple[int, str] | None:
    """Why a request of 2026-07-28 does not say of itself what it must; code and words."""
    missing = [name for name in ("protocolVersion", "clientCapabilities") if f"{META}{name}" not in message.meta]
    if missing:
        return INVALID_PARAMS, f"_meta lacks {', '.join(META + name for name in missing)}"
    if message.version != version:
        return HEADER_MISMATCH, f"the header {VERSION} does not say what _meta says"
    return None


async def _body(request: Request) -> bytes:
    return await _whole(request.stream(), "message")


async def _read(reply: Reply) -> bytes:
    return await _whole(reply.chunks(), "the server's answer")


async def _whole(chunks: AsyncIterator[bytes], what: str) -> bytes:
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > MCP_LINE_BYTES_MAX:
            raise BadMessage(f"{what}: more than {MCP_LINE_BYTES_MAX:,} bytes")
    return bytes(data)


async def _messages(reply: Reply) -> Any:
    """The messages of an answer, in either form."""
    if not reply.headers.get(b"content-type", b"").startswith(b"text/event-stream"):
        yield parse_message(await _read(reply))
        return
    events = Events()
    async for chunk in reply.chunks():
        for event in events.feed(chunk):
            if event.data:
                yield parse_message(event.data.encode())


async def _json(send: Send, value: dict[str, Any], status: int) -> None:
    await _answered(send, status, canonical(value), b"application/json")


async def _text(send: Send, status: int, text: str) -> None:
    await _answered(send, status, text.encode(), b"text/plain")


async def _answered(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _empty(send: Send, status: int, headers: Headers | None = None) -> None:
    headers = [*(headers or []), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


