"""The MCP door over pipes: a real server as a process, a client's bytes on one side, its log on the other."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gate.gated import Gated
from gate.mailboxed import behind

from watchword.demo import mailbox
from watchword.gate.mcp.conversation import Conversation, Door
from watchword.web import mcp_pipe
from watchword.web.mcp_pipe import NoServer, serve

SERVER = Path(mailbox.__file__)


class Client:
    """The client's side of a running door."""

    def __init__(self, asks: int, answers: int) -> None:
        self._asks, self._answers = asks, os.fdopen(answers, "rb")

    def say(self, data: bytes) -> None:
        os.write(self._asks, data + b"\n")

    def ask(self, id: int, method: str, **params: Any) -> dict[str, Any]:
        self.say(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode())
        return self.hear()

    def call(self, id: int, tool: str, **args: Any) -> dict[str, Any]:
        return self.ask(id, "tools/call", name=tool, arguments=args)

    def hear(self) -> dict[str, Any]:
        return json.loads(self._answers.readline())  # type: ignore[no-any-return]

    def end(self) -> None:
        os.close(self._asks)
        self._answers.close()


@contextmanager
def running(door: Door, command: list[str], codes: list[int] | None = None) -> Iterator[Client]:
    """A door over pipes, in a thread; the client's input ends when the block does."""
    ask_out, ask_in = os.pipe()
    answer_out, answer_in = os.pipe()

    def work() -> None:
        code = serve(Conversation(door), command, ask_out, answer_in)
        if codes is not None:
            codes.append(code)

    thread = threading.Thread(target=work)
    thread.start()
    client = Client(ask_in, answer_out)
    try:
        yield client
    finally:
        client.end()
        thread.join(20)
        os.close(ask_out)
        os.close(answer_in)
        door.lent.close()
    assert not thread.is_alive()


def _mailbox(log: Path) -> list[str]:
    return [sys.executable, "-I", str(SERVER), str(log)]


def _events(here: Gated) -> list[str]:
    return [receipt["event"] for receipt in here.receipts()]


def test_only_what_was_let_go_reaches_the_server(alone: Gated, tmp_path: Path) -> None:
    """The server's own log is a part of the record; a denied and a held call leave no trace in it."""
    log = tmp_path / "done"
    with running(behind(alone), _mailbox(log)) as client:
        begun = client.ask(0, "initialize", protocolVersion="2025-11-25", capabilities={})
        assert begun["result"]["serverInfo"] == {"name": "mailbox", "version": "1"}
        assert client.call(3, "quarantine", message="m-7", sender="x")["result"]["isError"] is True
        read = client.call(1, "read_message", message="m-7")
        assert read["result"]["structuredContent"]["from"] == "port@echo.example"
        assert client.call(2, "delete_mailbox", mailbox="registry")["result"]["isError"] is True
        assert client.ask(4, "tools/erase")["error"]["code"] == -32601
    assert [json.loads(line) for line in log.read_text().splitlines()] == [["read_message", {"message": "m-7"}]]
    # The outcome is recorded behind the answer.
    assert sorted(_events(alone)) == ["denied", "held", "permitted", "returned"]


def test_a_line_that_is_no_message_is_answered_and_the_next_one_counts(alone: Gated, tmp_path: Path) -> None:
    """Neither side's noise ends the conversation: the client's is refused, the server's is dropped."""
    noisy = f"print('starting up', flush=True)\n{SERVER.read_text()}"
    script = tmp_path / "noisy.py"
    script.write_text(noisy.replace("from __future__ import annotations", ""))
    with running(behind(alone), [sys.executable, "-I", str(script)]) as client:
        client.say(b"hello")
        assert client.hear()["error"]["code"] == -32700
        client.say(b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]')
        assert client.hear()["error"]["code"] == -32600
        assert client.ask(2, "ping") == {"jsonrpc": "2.0", "id": 2, "result": {}}


def test_a_line_past_the_limit_is_refused_once_and_costs_no_memory(
    alone: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of it is passed over."""
    monkeypatch.setattr(mcp_pipe, "MCP_LINE_BYTES_MAX", 100_000)
    monkeypatch.setattr("watchword.gate.mcp.message.MCP_LINE_BYTES_MAX", 100_000)
    with running(behind(alone), _mailbox(tmp_path / "done")) as client:
        client.say(b'{"x": "' + b"a" * 1_000_000 + b'"}')
        assert client.hear()["error"]["code"] == -32700
        assert client.ask(2, "ping")["result"] == {}


def test_a_server_that_dies_under_a_call_leaves_it_unknown(alone: Gated, tmp_path: Path) -> None:
    """It may have done it: the record says so, and the door ends with the server's exit code."""
    script = tmp_path / "dies.py"
    script.write_text(SERVER.read_text().replace("def _done(", "def _done(*_):\n    sys.exit(3)\n\n\ndef _was("))
    codes: list[int] = []
    with running(behind(alone), [sys.executable, "-I", str(script)], codes) as client:
        client.say(
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
            b'{"name":"label_attachment","arguments":{"message":"m-1","type":"pdf"}}}'
        )
        threading.Event().wait(1.5)
    assert codes == [3]
    assert _events(alone) == ["permitted", "unknown"]


@pytest.mark.parametrize("after_s", [0.0, 0.004, 0.011, 0.025])
def test_wherever_a_door_is_killed_the_server_did_nothing_that_no_receipt_permits(
    alone: Gated, tmp_path: Path, after_s: float
) -> None:
    """kill -9 while calls follow each other: what the server did is among what the record let go (I3), and the next
    door says what of it nobody saw the end of. (Seen to fail when a call goes on before the gate is asked.)"""
    door, log = behind(alone), tmp_path / "done"
    settings = {"home": str(alone.folder / "ALFA"), "now": alone.clock.now().isoformat(), "page": None,
                "release": door.release, "mandate": door.mandate}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("pipe_door.py")), json.dumps(settings), *_mailbox(log)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(SERVER.parents[2])},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    # What was written to a door that is dead is flushed into nothing when its pipe is closed.
    with contextlib.suppress(BrokenPipeError), process.stdin as asks, process.stdout as answers:
        for id in range(400):
            asked = {"name": "label_attachment", "arguments": {"message": f"m-{id}", "type": "pdf"}}
            line = json.dumps({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": asked})
            try:
                asks.write(line.encode() + b"\n")
                asks.flush()
            except BrokenPipeError:
                break
            if id == 0:
                answers.readline()
                threading.Timer(after_s, process.kill).start()
        process.wait(20)
    size = -1
    while size != (size := log.stat().st_size):
        threading.Event().wait(0.2)  # the server ends with its input, after what is in its pipe
    did = [json.loads(line)[1]["message"] for line in log.read_text().splitlines()]
    door.lent.left_behind("mail", door.release)
    with door.lent.gate() as gate:
        receipts = gate.node.record_events()
    door.lent.close()
    let_go = [one["body"]["args"]["message"] for one in receipts if one["event"] == "permitted"]
    ended = [one["body"]["args"]["message"] for one in receipts if one["event"] in ("returned", "unknown")]
    assert did and set(did) <= set(let_go) and len(did) == len(set(did))
    assert sorted(ended) == sorted(let_go)


def test_a_server_that_does_not_list_its_tools_gets_no_call(
    alone: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a description there is nothing that a card could be for; the client is told in bounded time."""
    monkeypatch.setattr(mcp_pipe, "MCP_ANSWER_S_MAX", 0.3)
    script = tmp_path / "silent.py"
    script.write_text("import sys\nfor line in sys.stdin:\n    pass\n")
    with running(behind(alone), [sys.executable, "-I", str(script)]) as client:
        answer = client.call(1, "read_message", message="m-1")
        assert answer["error"]["message"] == "the server does not list its tools"
    assert _events(alone) == []


def test_a_server_that_is_not_there_is_named(alone: Gated) -> None:
    """What cannot be started is an error, not a hang."""
    door = behind(alone)
    with pytest.raises(NoServer, match="cannot be started"):
        serve(Conversation(door), ["/nowhere/server"], 0, 1)
    door.lent.close()
