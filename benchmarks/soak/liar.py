"""What stands between members: it passes on, or it cuts, or it lies in a peer's name. Each address says who asks whom.

    http://127.0.0.1:PORT/ASKER/ASKED/…      passed on to the asked member's own ``serve``, in one of these ways

* ``pass``; ``refuse`` (a partition: the connection ends unanswered); ``stale`` (what was answered to the same question
  when the lie began, for ever); ``truncate``; ``flip`` (one bit of the body); ``stall`` (a head, then nothing);
  ``drip`` (a byte a second); ``endless`` (a body without an end); ``redirect`` (to itself, for ever); ``error`` (500);
  ``junk`` (no HTTP at all); ``twin`` (another history, from another process).
* Nothing is drawn here: which bit is flipped follows from the question, so that a run can be told again.
"""

from __future__ import annotations

import http.client
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIES = ("stale", "truncate", "flip", "stall", "drip", "endless", "redirect", "error", "junk")
STALL_S = 45.0
"""How long a silent peer keeps its connection, in seconds. Origin: longer than any asker waits (30 s)."""
PASSED_S_MAX = 35.0
BODY_BYTES_MAX = 64 * 1024 * 1024


class Between:
    """All roads between members. ``twin``: the port of a member's other history; ``lied``: answers by way taken."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.ports = ports
        self._how: dict[tuple[str, str], str] = {}
        self._cut: set[str] = set()
        self._forked: set[tuple[str, str]] = set()
        self.twin: dict[str, int] = {}
        self.lied: dict[str, int] = {}
        self._kept: dict[tuple[str, str, bytes], tuple[int, dict[str, str], bytes]] = {}
        self._over = threading.Event()
        self._server = _Roads(("127.0.0.1", 0), _Road)
        self._server.serve = self.serve
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, asker: str, asked: str) -> str:
        return f"http://127.0.0.1:{self.port}/{asker}/{asked}/"

    def set(self, how: str, asked: str, askers: list[str]) -> None:
        """From now on *askers* meet *asked* that way."""
        for asker in askers:
            self._how[asker, asked] = how

    def cut(self, member: str, is_cut: bool) -> None:
        """No road leads to *member* or from it; or again."""
        (self._cut.add if is_cut else self._cut.discard)(member)

    def fork(self, member: str, askers: list[str]) -> None:
        """These are shown the other history of *member*, and no others."""
        self._forked = {(asker, member) for asker in askers}

    def _way(self, asker: str, asked: str) -> str:
        if {asker, asked} & self._cut:
            return "refuse"
        how = self._how.get((asker, asked), "pass")
        return "twin" if how == "pass" and (asker, asked) in self._forked else how

    def serve(self, road: _Road) -> None:
        """Answer one question."""
        _, asker, asked, path = (*road.path.split("/", 3), "", "")[:4]
        how = self._way(asker, asked)
        length = int(road.headers.get("Content-Length") or 0)
        body = road.rfile.read(min(length, BODY_BYTES_MAX))
        if how != "pass":
            self.lied[how] = self.lied.get(how, 0) + 1
        if how == "refuse" or asked not in self.ports:
            road.close_connection = True
            return
        if how == "stale":
            got = self._kept.get((asked, path, body)) or self._passed(road, asked, path, body)
        elif how in ("stall", "drip", "endless", "redirect", "error", "junk"):
            self._play(road, how)
            return
        else:
            got = self._passed(road, f"{asked}-twin" if how == "twin" and asked in self.twin else asked, path, body)
        if got is None:
            road.close_connection = True
            return
        if how in ("pass", "stale"):
            self._kept.setdefault((asked, path, body), got)
        status, headers, data = got
        if how == "flip" and data:
            at = zlib.crc32(road.path.encode()) % len(data)
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        road.send(status, headers, data[: len(data) // 2] if how == "truncate" else data, len(data))

    def _passed(self, road: _Road, asked: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        port = self.twin[asked.removesuffix("-twin")] if asked.endswith("-twin") else self.ports[asked]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PASSED_S_MAX)
        try:
            kept = ("If-None-Match", "Accept-Encoding", "Content-Type")
            headers = {name: road.headers[name] for name in kept if name in road.headers}
            connection.request(road.command, f"/{path}", body or None, headers)
            answer = connection.getresponse()
            named = ("ETag", "Content-Type", "Content-Encoding")
            passed = {name: answer.headers[name] for name in named if name in answer.headers}
            return answer.status, passed, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _play(self, road: _Road, how: str) -> None:
        road.close_connection = True
        if how == "redirect":
            road.send(302, {"Location": f"/{road.path.lstrip('/')}"}, b"", 0)
        elif how == "error":
            road.send(500, {}, b"no\n", 3)
        elif how == "junk":
            road.wfile.write(bytes(range(256)) * 64)
        elif how == "endless":
            road.send(200, {}, b"", None)
            while not self._over.is_set():
                road.wfile.write(bytes(65_536))
        else:
            road.send(200, {}, b"", 1_000)
            waited = 0.0
            while waited < STALL_S and not self._over.wait(1):
                waited += 1
                if how == "drip":
                    road.wfile.write(b"x")


class _Roads(ThreadingHTTPServer):
    """All connections; ``serve`` answers one question."""

    daemon_threads = True
    serve: Callable[[_Road], None]

    def handle_error(self, *_: Any) -> None:
        """An asker that is killed says nothing more."""


class _Road(BaseHTTPRequestHandler):
    """One connection of an asker."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    server: _Roads

    def do_GET(self) -> None:
        self._guarded()

    def do_POST(self) -> None:
        self._guarded()

    def _guarded(self) -> None:
        try:
            self.server.serve(self)
        except OSError:
            self.close_connection = True  # the asker went away, as he may

    def send(self, status: int, headers: dict[str, str], data: bytes, length: int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None and status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)
        if length != len(data):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """What is passed on is nobody's to read."""
