"""Agents that ask gates over HTTP, as one process: ``python -m benchmarks.soak.agents PLAN``.

PLAN is a JSON object: ``gates`` (member: port), ``token``, ``connections`` for each gate, ``rate`` (a second, all
together; 0: as fast as it goes) and ``told``, a file that gets a line for each answer: gate, when asked and answered,
what, receipt, action, why.

What an agent was told is what must be in the record afterwards. It asks until it is told to end (SIGTERM).
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak.alliance import RESOURCES, SUBJECTS

ANSWER_S_MAX = 40.0
"""How long an agent waits for an answer, in seconds. Origin: more than a door takes to give up (30 s)."""
RETRY_S = 0.25


@dataclass
class Line:
    """A connection to one gate; one question is on it at a time. ``turn``: which of all questions was its last."""

    gate: str
    port: int
    number: int
    socket: socket.socket | None = None
    asked_s: float | None = None
    again_s: float = 0.0
    turn: int = 0
    data: bytearray = field(default_factory=bytearray)


class Agents:
    """All connections in one thread: what asking costs must not be what is measured."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._lines = [
            Line(gate, port, number)
            for number in range(plan["connections"])
            for gate, port in plan["gates"].items()
        ]
        self._rate, self._due = float(plan["rate"]), 0.0
        self._told, self._answers = Path(plan["told"]), list[str]()
        self._asked, self._written = 0, time.time()
        self._waits = selectors.DefaultSelector()
        self._over = False
        self._questions = [_question(plan["token"], subject, one) for subject in SUBJECTS for one in RESOURCES]
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_over", True))

    def run(self) -> None:
        """Ask until told to end; questions under way are then waited for."""
        self._due = time.time()
        self._write()  # that it began
        while True:
            now = time.time()
            free = [line for line in self._lines if line.asked_s is None]
            if self._over and len(free) == len(self._lines):
                break
            if not self._over:
                self._ask(free, now)
            for key, _ in self._waits.select(0.01 if not self._over else 0.1):
                self._hear(key.data)
            if now - self._written > 1:
                self._write()
            for line in self._lines:
                if line.asked_s is not None and time.time() - line.asked_s > ANSWER_S_MAX:
                    self._fail(line, "no answer")
        self._write()

    def _write(self) -> None:
        with self._told.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self._answers)
        self._answers.clear()
        self._written = time.time()

    def _ask(self, free: list[Line], now: float) -> None:
        # Who waited longest asks first: in the order of the list, a first gate that answers fast has every question.
        for line in sorted(free, key=lambda line: line.turn):
            if line.again_s > now:
                continue
            if self._rate:
                if self._due > now:
                    return
                # What could not be asked in time is not made up for: a gate that was away is not stormed.
                self._due = max(self._due + 1 / self._rate, now - 0.1)
            self._asked += 1
            line.turn, line.asked_s = self._asked, time.time()
            try:
                if line.socket is None:
                    self._connect(line)
                if line.socket is not None:
                    line.socket.sendall(self._questions[self._asked % len(self._questions)])
            except OSError as error:
                self._fail(line, type(error).__name__)

    def _connect(self, line: Line) -> None:
        line.socket = socket.create_connection(("127.0.0.1", line.port), 5)
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waits.register(line.socket, selectors.EVENT_READ, line)

    def _hear(self, line: Line) -> None:
        try:
            more = line.socket.recv(65_536) if line.socket is not None else b""
        except OSError as error:
            self._fail(line, type(error).__name__)
            return
        if not more:
            self._fail(line, "closed")
            return
        line.data += more
        head, end, body = line.data.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        line.data.clear()
        status = int(head[9:12])
        if status != 200:
            self._tell(line, f"status {status}")
            line.again_s = time.time() + RETRY_S
            return
        answer = json.loads(body)
        context = answer["context"]
        if answer["decision"]:
            self._tell(line, "permit", context["receipt"], context["action"])
        else:
            recalled = any(reason.startswith("recall of ") for reason in context["reasons"])
            why = context["reasons"][0] if context["reasons"] else ""
            self._tell(line, "recalled" if recalled else "deny", context.get("receipt"), context.get("action"), why)

    def _fail(self, line: Line, why: str) -> None:
        if line.socket is not None:
            if line.socket.fileno() in self._waits.get_map():
                self._waits.unregister(line.socket)
            line.socket.close()
        if line.asked_s is not None:
            self._tell(line, why)
        line.socket, line.again_s = None, time.time() + RETRY_S
        line.data.clear()

    def _tell(self, line: Line, what: str, receipt: int | None = None, action: Any = None, why: str = "") -> None:
        told = [line.gate, round(line.asked_s or 0, 4), round(time.time(), 4), what, receipt, action, why]
        self._answers.append(json.dumps(told))
        line.asked_s = None


def _question(token: str, subject: str, resource: str) -> bytes:
    value = {
        "subject": {"type": "agent", "id": subject}, "action": {"name": "read"},
        "resource": {"type": "record", "id": resource},
    }  # fmt: skip
    body = json.dumps(value).encode()
    head = (
        f"POST /access/v1/evaluation HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _length(head: bytes | bytearray) -> int:
    for one in bytes(head).lower().split(b"\r\n"):
        if one.startswith(b"content-length:"):
            return int(one.partition(b":")[2])
    return 0


if __name__ == "__main__":
    Agents(json.loads(Path(sys.argv[1]).read_text("utf-8"))).run()
