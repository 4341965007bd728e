"""Drafting cards from an MCP server: a real program on a pipe, honest or not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from watchword.cli import main
from watchword.gate import mcp_tools
from watchword.gate.cards import draft, parse_cards
from watchword.gate.mcp_tools import NoAnswer, listed_tools

SERVER = """
import json, sys
def answer(message, result):
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
pages = [
    ([{"name": "read-file", "description": "Reads.", "inputSchema": {"type": "object", "properties": {"path": {}}},
       "annotations": {"readOnlyHint": True}}], "2"),
    ([{"name": "send-mail", "inputSchema": {"type": "object", "properties": {"to": {}, "flag": {"type": "boolean"}}}}],
     None),
]
for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "initialize":
        print(json.dumps({"jsonrpc": "2.0", "id": 99, "method": "roots/list"}), flush=True)
        answer(message, {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "files"}})
    elif message["method"] == "tools/list":
        tools, after = pages[0 if "cursor" not in message["params"] else 1]
        answer(message, {"tools": tools} | ({"nextCursor": after} if after else {}))
"""


def _command(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "server.py").write_text(text)
    return [sys.executable, "-I", str(tmp_path / "server.py")]


def test_a_server_s_tools_become_a_draft_that_trusts_none_of_them(tmp_path: Path):
    """Every page is asked for; each tool is drafted as irreversible whatever its server hints."""
    name, tools = listed_tools(_command(tmp_path, SERVER))
    value = draft(name, tools)
    assert (value["server"], [card["tool"] for card in value["tools"]]) == ("files", ["read-file", "send-mail"])
    assert {card["effect"] for card in value["tools"]} == {"irreversible"}
    assert value["tools"][0]["remark"] == "its server says: Reads. [readOnlyHint=True]"
    assert value["tools"][1]["args"]["to"]["role"] == "destination"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import time; time.sleep(60)", "no answer in time"),
        ("pass", "ended before it answered"),
        ("print('hello, I am a server', flush=True); import time; time.sleep(60)", "Expecting value"),
        (
            "import sys; sys.stdout.write('x' * 3000000); sys.stdout.flush(); import time; time.sleep(60)",
            "a line of more",
        ),
        (SERVER.replace("else 1]", "else 0]"), "64 pages"),
        (SERVER.replace('{"tools": tools}', '{"tools": "all"}'), "is none"),
    ],
)
def test_a_server_that_misbehaves_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str):
    """Silence, floods, endless pages and other talk end in a named error, in bounded time."""
    monkeypatch.setattr(mcp_tools, "MCP_LINE_BYTES_MAX", 1_000_000)
    with pytest.raises(NoAnswer, match=said):
        listed_tools(_command(tmp_path, text), answer_s=1.5)


def test_a_program_that_is_not_there_is_named():
    """What cannot be started is an error, not a crash."""
    with pytest.raises(NoAnswer, match="cannot be started"):
        listed_tools(["/nowhere/server"])


def test_the_draft_is_written_and_told_as_one_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """``gate cards suggest`` writes the draft and says, as JSON too, which tools it drafted."""
    command = ["gate", "cards", "suggest", "--format", "json", "--output", str(tmp_path / "cards.json"), "--"]
    assert main([*command, *_command(tmp_path, SERVER)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["tools"]) == ("watchword-cards-draft/1", ["read-file", "send-mail"])
    assert parse_cards((tmp_path / "cards.json").read_bytes()).server == "files"
