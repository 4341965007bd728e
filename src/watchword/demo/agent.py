"""The agent of the exercise: it obeys whatever it reads, and everything that it does goes through the gate.

It talks to ``watchword gate mcp`` as any client of the Model Context Protocol does, and behind that stands the mailbox
(``watchword.demo.mailbox``). No model is needed: what a model that was taken in would do, it does every time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from watchword.demo.parties import COMMAND_S_MAX, NotAsExpected, Party

SERVER = "mailbox"
MAILBOX = (sys.executable, "-m", "watchword.demo.mailbox")


def edited(draft: dict[str, Any]) -> dict[str, Any]:
    """The drafted cards after a person who knows the mailbox went over them."""
    message = {"role": "identifier", "type": "id", "choices": [], "nouns": ["message"]}
    address = {"role": "destination", "type": "email", "choices": [], "nouns": []}
    kinds = {"role": "content", "type": "choice", "choices": ["pdf", "png", "zip", "elf"], "nouns": []}
    roles = {"message": message, "sender": address, "to": address, "type": kinds}
    effects = {"read_message": "read", "label_attachment": "write", "quarantine": "write"}
    for card in draft["tools"]:
        card["effect"] = effects.get(card["tool"], card["effect"])
        card["args"] |= {name: role for name, role in roles.items() if name in card["args"]}
    return draft


class Agent:
    """A running agent at *member*'s gate. ``log`` names the mailbox's own list of what was really done."""

    def __init__(self, member: Party, of: str, log: str, said: str | None = None) -> None:
        self._member, self._number = member, 0
        words = ["gate", "mcp", "--of", of, "--server", SERVER, *(["--said", said] if said else []), "--"]
        self.told = ("watchword", *words, "python", *MAILBOX[1:], log)
        self._process = member.start_python("-m", "watchword", *words, *MAILBOX, log, stdin=subprocess.PIPE)
        about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}}
        self._ask("initialize", about)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._process.communicate(timeout=COMMAND_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def call(self, tool: str, **args: str) -> str:
        """Call a tool; what the agent is told.

        Raises:
            NotAsExpected: no answer, or none of a tool.
        """
        result = self._ask("tools/call", {"name": tool, "arguments": args})
        return str(result["content"][0]["text"])

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise NotAsExpected(f"{self._member.name}: the agent has no pipes", "")
        request = {"id": self._number, "jsonrpc": "2.0", "method": method, "params": params}
        late = threading.Timer(COMMAND_S_MAX, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            late.cancel()
        answer = json.loads(line) if line else {}
        if "result" not in answer:
            raise NotAsExpected(f"{self._member.name}: {method}: no answer", line or process.communicate()[1])
        return answer["result"]  # type: ignore[no-any-return]


def done(stage: Path, log: str) -> list[list[Any]]:
    """What the mailbox really did, tool and arguments, in order."""
    path = stage / log
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
