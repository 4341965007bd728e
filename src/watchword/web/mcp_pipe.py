"""The MCP door over standard input and output: the client on our own, the server as a process that we start.

Follows the Model Context Protocol, transports (stdio). One line is one message, in both directions.

* The server's process gets the environment that we have, as if the client had started it, and our standard error. Its
  end is the conversation's end.
* A line that is no message is dropped: a client's is answered with an error, a server's is told on stderr.
* When the client ends, what it asked is answered within MCP_ANSWER_S_MAX; then the server's input is closed, then it
  is told to end, then it is ended (``MCP_END_S``).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from watchword.errors import WatchwordError
from watchword.gate.mcp.conversation import Conversation, Turn
from watchword.gate.mcp.message import INTERNAL_ERROR, BadMessage, Message, parse_message, refusal
from watchword.limits import MCP_ANSWER_S_MAX, MCP_END_S, MCP_LINE_BYTES_MAX
from watchword.statements.canonical import canonical

_READ_BYTES = 65_536
_LOOK_S = 0.05
"""Between two looks for an end, in seconds. Origin: short beside what a person notices."""


class NoServer(WatchwordError):
    """An MCP server that cannot be started."""


def serve(conversation: Conversation, command: Sequence[str], client_in: int, client_out: int) -> int:
    """Pass messages between a client and the server that *command* starts, until either ends.

    Args:
        client_in, client_out: file descriptors of the client's side.

    Returns:
        The server's exit code; 0 where it was the client that ended.

    Raises:
        NoServer: it cannot be started.
    """
    try:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603
    except OSError as error:
        raise NoServer(f"{command[0]}: cannot be started: {error.strerror}", "check the command after --") from error
    if server.stdin is None or server.stdout is None:
        raise NoServer(f"{command[0]}: has no pipes")
    pipe = _Pipe(conversation, server.stdin, client_out)
    ended = threading.Event()
    reader = threading.Thread(target=pipe.hear_server, args=(server.stdout.fileno(),), daemon=True)
    threading.Thread(target=pipe.hear_client, args=(client_in, ended), daemon=True).start()
    reader.start()
    try:
        while reader.is_alive() and not ended.wait(_LOOK_S):
            pass
        # What the client asked before its input ended is still answered, if that does not take long.
        until = time.monotonic() + MCP_ANSWER_S_MAX
        while reader.is_alive() and conversation.is_busy and time.monotonic() < until:
            time.sleep(_LOOK_S)
    finally:
        by_client, code = reader.is_alive(), _end(server)
        reader.join(MCP_END_S)
        server.stdout.close()
        conversation.lost()
    return 0 if by_client else code


def _end(server: subprocess.Popen[bytes]) -> int:
    if server.stdin is not None:
        with contextlib.suppress(OSError):
            server.stdin.close()
    for say in (None, server.terminate, server.kill):
        if say is not None:
            say()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return server.wait(MCP_END_S)
    return server.wait()


class _Pipe:
    def __init__(self, conversation: Conversation, to_server: IO[bytes], client_out: int) -> None:
        self._conversation = conversation
        self._to_server, self._client_out = to_server.fileno(), client_out
        self._client_lock, self._server_lock = threading.Lock(), threading.Lock()
        self._listed = threading.Condition()

    def hear_client(self, client_in: int, ended: threading.Event) -> None:
        """Until the client's input ends."""
        try:
            for line in _lines(client_in):
                self._from_client(line)
        except OSError:
            pass  # the server is gone: there is nobody to pass anything to
        finally:
            ended.set()

    def hear_server(self, server_out: int) -> None:
        """Until the server's output ends."""
        try:
            for line in _lines(server_out):
                self._from_server(line)
        except OSError:
            pass  # the client is gone
        finally:
            with self._listed:
                self._listed.notify_all()

    def _from_client(self, line: bytes) -> None:
        message = self._parsed(line, self._say_client)
        if message is None:
            return
        turn = self._conversation.from_client(message)
        if turn.list_first:
            with self._listed:
                self._say_server(self._conversation.listing(meta=message.meta).bytes)
                self._listed.wait_for(lambda: self._conversation.is_listed, MCP_ANSWER_S_MAX)
            turn = self._conversation.from_client(message)
        if turn.list_first:
            why = "the server does not list its tools"
            turn = Turn(back=refusal(message.id, INTERNAL_ERROR, why))
        self._follow(turn, self._say_server, self._say_client)

    def _from_server(self, line: bytes) -> None:
        message = self._parsed(line, lambda _: None)
        if message is None:
            return
        self._follow(self._conversation.from_server(message), self._say_client, self._say_server)
        if self._conversation.is_listed:
            with self._listed:
                self._listed.notify_all()

    def _follow(self, turn: Turn, on: Callable[[bytes], None], back: Callable[[bytes], None]) -> None:
        if turn.on is not None:
            on(turn.on.bytes)
        if turn.back is not None:
            back(canonical(turn.back))
        if turn.done is not None:
            self._conversation.settle(*turn.done)

    def _parsed(self, line: bytes, refuse: Callable[[bytes], None]) -> Message | None:
        try:
            return parse_message(line)
        except BadMessage as error:
            self._conversation.door.note(f"a line that is no message: {error.message}")
            refuse(canonical(refusal(error.id, error.code, error.message)))
            return None

    def _say_client(self, data: bytes) -> None:
        with self._client_lock:
            _write(self._client_out, data + b"\n")

    def _say_server(self, data: bytes) -> None:
        with self._server_lock:
            _write(self._to_server, data + b"\n")


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _lines(descriptor: int) -> Iterator[bytes]:
    """The lines that come, each at most MCP_LINE_BYTES_MAX; the rest of a longer one is passed over."""
    held, passing = bytearray(), False
    while came := os.read(descriptor, _READ_BYTES):
        looked = len(held)
        held += came
        while (at := held.find(b"\n", looked)) >= 0:
            line, looked = bytes(held[:at]), 0
            del held[: at + 1]
            if not passing and line.strip():
                yield line
            passing = False
        if len(held) > MCP_LINE_BYTES_MAX:
            if not passing:
                yield bytes(held)  # refused by its size, once
            held.clear()
            passing = True
