"""What an MCP server says of its tools: started, asked, ended. For drafting cards, and for nothing else.

Follows the Model Context Protocol, 2025-11-25: transports (stdio), lifecycle, and server/tools (``tools/list``).

* The person names the program: it is run as he would run it, and everything that it says is hostile input. Lines, pages
  and seconds are bounded; what is no answer to our question is passed over; a request of the server is not answered.
* Its hints are kept as it says them (``cards.draft`` quotes them) and decide nothing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.limits import MCP_ANSWER_S_MAX, MCP_LINE_BYTES_MAX, MCP_PAGES_MAX, TOOL_CARDS_MAX
from watchword.statements.canonical import canonical, parse_json

PROTOCOL = "2025-11-25"


class NoAnswer(WatchwordError):
    """A server that does not start, does not answer in time, or answers with something else."""


def listed_tools(command: Sequence[str], answer_s: float = MCP_ANSWER_S_MAX) -> tuple[str, list[dict[str, Any]]]:
    """Start *command* as an MCP server over stdio and ask for its tools; its name, and the entries of ``tools/list``.

    Args:
        answer_s: seconds for everything together.

    Raises:
        NoAnswer: it cannot be started, ends, is silent for too long, or does not speak MCP.
    """
    with _server(command) as server:
        talk = _Talk(server, command[0], time.monotonic() + answer_s)
        client = {"name": "watchword", "version": __version__}
        opened = talk.ask("initialize", {"capabilities": {}, "clientInfo": client, "protocolVersion": PROTOCOL})
        talk.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        about = opened.get("serverInfo")
        name = about.get("name") if isinstance(about, dict) else None
        tools: list[dict[str, Any]] = []
        cursor: Any = None
        for _ in range(MCP_PAGES_MAX):
            page = talk.ask("tools/list", {} if cursor is None else {"cursor": cursor})
            found = page.get("tools")
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise NoAnswer(f"{command[0]}: its list of tools is none")
            tools += found
            cursor = page.get("nextCursor")
            if cursor is None:
                return (name if isinstance(name, str) and name else command[0], tools)
            if len(tools) > TOOL_CARDS_MAX:
                break
        raise NoAnswer(f"{command[0]}: lists more than {TOOL_CARDS_MAX} tools, or {MCP_PAGES_MAX} pages of them")


@contextlib.contextmanager
def _server(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    except OSError as error:
        raise NoAnswer(f"{command[0]}: cannot be started: {error.strerror}") from error
    try:
        yield server
    finally:
        for pipe in (server.stdin, server.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        # The transport's own order: its input is closed, then it is told to end, then it is ended.
        for signal_number in (None, signal.SIGTERM, signal.SIGKILL):
            if signal_number is not None:
                server.send_signal(signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(1)
                break


class _Talk:
    def __init__(self, server: subprocess.Popen[bytes], name: str, until: float) -> None:
        self.server, self.name, self.until = server, name, until
        self._asked = 0
        self._held = b""

    def say(self, message: dict[str, Any]) -> None:
        """Send one message."""
        if self.server.stdin is None:
            raise NoAnswer(f"{self.name}: has no input")
        try:
            self.server.stdin.write(canonical(message) + b"\n")
            self.server.stdin.flush()
        except OSError as error:
            raise NoAnswer(f"{self.name}: ended before it answered") from error

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        self._asked += 1
        self.say({"id": self._asked, "jsonrpc": "2.0", "method": method, "params": params})
        while True:
            line = self._line()
            if not line.strip():
                continue
            try:
                message = parse_json(line, f"an answer of {self.name}", MCP_LINE_BYTES_MAX)
            except WatchwordError as error:
                raise NoAnswer(error.message, "a server says nothing but MCP on its standard output") from error
            if not isinstance(message, dict) or message.get("id") != self._asked or "method" in message:
                continue
            result = message.get("result")
            if not isinstance(result, dict):
                raise NoAnswer(f"{self.name}: refuses {method}: {str(message.get('error'))[:200]}")
            return result

    def _line(self) -> bytes:
        if self.server.stdout is None:
            raise NoAnswer(f"{self.name}: has no output")
        with selectors.DefaultSelector() as ready:
            ready.register(self.server.stdout, selectors.EVENT_READ)
            while b"\n" not in self._held:
                left_s = self.until - time.monotonic()
                if left_s <= 0 or not ready.select(left_s):
                    raise NoAnswer(f"{self.name}: no answer in time")
                came = os.read(self.server.stdout.fileno(), 65_536)
                if not came:
                    raise NoAnswer(f"{self.name}: ended before it answered")
                self._held += came
                if len(self._held) > MCP_LINE_BYTES_MAX:
                    raise NoAnswer(f"{self.name}: a line of more than {MCP_LINE_BYTES_MAX:,} bytes")
        line, _, self._held = self._held.partition(b"\n")
        return line
