"""Somebody else's client and server, the Python SDK's, with the gate between them: both transports, both versions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from gate.gated import Gated
from gate.mailboxed import ONE, behind, rule

pytest.importorskip("mcp", reason="the Python SDK of MCP is not installed (requirements/heavy.txt)")
pytest.importorskip("uvicorn", reason="what a door over HTTP needs is not installed")
from mcp import (
    Client,
    InputRequiredRoundsExceededError,
    MCPError,
    StdioServerParameters,
    UrlElicitationRequiredError,
)
from mcp.types import ElicitResult
from web.doors import http_door

SRC = Path(__file__).resolve().parents[2] / "src"
PAGE = "https://gate.example/holds/"
SERVER = """
import sys
from pathlib import Path
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel

mail = MCPServer("mail")

class To(BaseModel):
    address: str

@mail.tool()
def read(folder: str) -> str:
    return f"nothing in {folder}"

@mail.tool()
def send(to: To, text: str) -> str:
    with Path(sys.argv[1]).open("a") as log:
        log.write(to.address + chr(10))
    return "sent"

@mail.tool()
def wipe() -> str:
    raise SystemExit(1)

if len(sys.argv) > 2:
    mail.run("streamable-http", port=int(sys.argv[2]))
else:
    mail.run("stdio")
"""
RULES = [rule("mail/read", "folder"), rule("mail/send", "to", "text", people=ONE)]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the server lists of its tools: what the cards are written for."""
    from watchword.gate.mcp_tools import listed_tools

    script = tmp_path_factory.mktemp("sdk") / "server.py"
    script.write_text(SERVER)
    return listed_tools([sys.executable, str(script), "unused"])[1]


@contextmanager
def _over(transport: str, here: Gated, tools: list[dict[str, Any]], folder: Path) -> Iterator[Any]:
    """What the SDK's client connects to: the door, and the server behind it."""
    script = folder / "server.py"
    script.write_text(SERVER)
    log = str(folder / "sent")
    door = behind(here, tools=tools, rules=RULES, effects={"read": "read"}, page=PAGE + "{hold}")
    with ExitStack() as stack:
        if transport == "pipes":
            settings = {"home": str(here.folder / "ALFA"), "now": here.clock.now().isoformat(), "page": PAGE + "{hold}",
                        "release": door.release, "mandate": door.mandate}  # fmt: skip
            yield StdioServerParameters(
                command=sys.executable,
                args=[str(Path(__file__).with_name("pipe_door.py")), json.dumps(settings),
                      sys.executable, str(script), log],
                env=os.environ | {"PYTHONPATH": str(SRC)},
            )  # fmt: skip
            door.lent.close()
            return
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, str(script), log, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        at = stack.enter_context(http_door(door, f"http://127.0.0.1:{port}/mcp"))
        yield f"http://127.0.0.1:{at}/mcp"


@pytest.mark.parametrize("version", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("transport", ["pipes", "http"])
def test_the_sdk_s_client_works_through_the_gate(
    alone: Gated, tools: list[dict[str, Any]], tmp_path: Path, transport: str, version: str
) -> None:
    """It lists with ``$defs``, reads, is denied as a result, and is sent to an address for a hold; the server sends
    nothing that nobody approved."""
    shown: list[str] = []

    async def look(_: Any, params: Any) -> ElicitResult:
        shown.append(params.url)
        return ElicitResult(action="accept")

    async def talk(server: Any) -> None:
        async with Client(server, mode=version, elicitation_callback=look) as client:
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == ["read", "send", "wipe"]
            assert "To" in listed[1].input_schema["$defs"]
            held = {"to": {"address": "eve@evil.example"}, "text": "x"}
            try:
                await client.call_tool("send", held)
            except MCPError as error:
                asked = UrlElicitationRequiredError.from_error(error.error)
                shown.extend(one.url for one in asked.elicitations)
            except InputRequiredRoundsExceededError:
                assert version != "legacy"  # nobody approves here, and it gives up after some rounds
            read = await client.call_tool("read", {"folder": "inbox"})
            assert read.content[0].text == "nothing in inbox"
            denied = await client.call_tool("wipe", {})
            assert denied.is_error and denied.content[0].text.startswith("DENIED")

    with _over(transport, alone, tools, tmp_path) as server:
        asyncio.run(talk(server))
    assert shown and all(one.startswith(PAGE) for one in shown) and len(set(shown)) == 1
    assert not (tmp_path / "sent").exists()
    events = [receipt["event"] for receipt in alone.receipts()]
    assert sorted(events) == ["denied", "held", "permitted", "returned"]
