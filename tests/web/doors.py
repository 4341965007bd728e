"""An HTTP door before some server, run in a thread, and a client that says exactly what a test wants."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watchword.demo import mailbox
from watchword.gate.mcp.conversation import Door
from watchword.web.mcp_door import HttpDoor
from watchword.web.serving import listen, server
from watchword.web.upstream import Upstream

BOTH = "application/json, text/event-stream"


@contextmanager
def http_door(door: Door, upstream: str, **how: Any) -> Iterator[int]:
    """The door's port."""
    bound, ready = listen("127.0.0.1", 0), threading.Event()
    port = bound.getsockname()[1]
    hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
    asked = HttpDoor(door, Upstream(upstream), hosts, **how)
    running = server(asked, None, None, ready.set, answer_s=60)
    thread = threading.Thread(target=asked.run, args=(running, bound))
    thread.start()
    try:
        assert ready.wait(10)
        yield port
    finally:
        running.should_exit = running.force_exit = True
        thread.join(20)
        door.lent.close()
    assert not thread.is_alive()


def post(port: int, value: Any, path: str = "/mcp", **headers: str) -> tuple[int, Mapping[str, str], Any]:
    """Status, headers and body of one POST. ``mcp_session_id`` stands for the header of that name."""
    sent = {"content-type": "application/json", "accept": BOTH}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request("POST", path, value if isinstance(value, bytes) else json.dumps(value), sent)
        answer = client.getresponse()
        body = answer.read()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, json.loads(body) if body[:1] == b"{" else body
    finally:
        client.close()


def request(id: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def modern(id: int, method: str, **params: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A request of 2026-07-28, and the headers that repeat it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": method}
    if "name" in params:
        headers["mcp_name"] = params["name"]
    return request(id, method, _meta=meta, **params), headers


class Mailbox(ThreadingHTTPServer):
    """The exercise's mailbox over HTTP. ``seen`` is what came; ``how`` makes it misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], Any]] = []
        self.how = ""
        super().__init__(("127.0.0.1", 0), _Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/mcp"

    def called(self) -> list[str]:
        """The tools that were really called."""
        return [body["params"]["name"] for _, body in self.seen if body.get("method") == "tools/call"]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mailbox

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
        calls = body.get("method") == "tools/call"
        if calls and self.server.how == "slow":
            time.sleep(0.3)
        if body.get("method") == "tools/list" and self.server.how == "lists slowly":
            time.sleep(0.3)
        if calls and self.server.how == "dies":
            self.close_connection = True
            return
        if calls and self.server.how == "busy":
            return self._say(503, b"later", "text/plain")
        if "id" not in body:
            return self._say(202, b"", "application/json")
        answer = {"jsonrpc": "2.0", "id": body["id"], **mailbox._answer(body, None)}
        if calls and self.server.how == "streams":
            log = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
            asks = {"jsonrpc": "2.0", "id": "s", "method": "roots/list"}
            lines = "".join(f"data: {json.dumps(one)}\n\n" for one in (log, asks, answer))
            return self._say(200, lines.encode(), "text/event-stream")
        if calls and self.server.how == "breaks":
            return self._say(200, b"data: {}\n\n"[:4], "text/event-stream")
        self._say(200, json.dumps(answer).encode(), "application/json", body["method"] == "initialize")

    def _say(self, status: int, body: bytes, kind: str, begins: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if begins:
            self.send_header("mcp-session-id", "s-1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
