"""The protocol's own conformance suites, against a server and against the same server behind the gate.

The server is the everything-server of the Python SDK, from its source distribution; the suites are the npm packages of
2025-11-25 and 2026-07-28. ``make heavy`` puts both beside the environment. The gate has a card for each of the server's
tools and a rule for each method, as a commander would sign for a test server.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate.gated import ALONE, FAST, gated
from gate.mailboxed import behind, rule

pytest.importorskip("mcp", reason="the Python SDK of MCP is not installed (requirements/heavy.txt)")
pytest.importorskip("uvicorn", reason="what a door over HTTP needs is not installed")
from web.doors import BOTH, http_door

THERE = Path(os.environ.get("WATCHWORD_CONFORMANCE", Path(sys.prefix) / "conformance"))
SERVER = THERE / "mcp-2.3.0" / "examples" / "servers" / "everything-server"
NODE = Path(sys.executable).with_name("node")
pytestmark = pytest.mark.skipif(
    not SERVER.is_dir() or not (THERE / "node_modules").is_dir(),
    reason="MCP's conformance suites are not there (make heavy)",
)

METHODS: dict[str, list[list[str]]] = {
    "completion/complete": [["ref", "argument"], ["ref", "argument", "context"]],
    "elicitation/create": [["message", "requestedSchema"], ["message", "mode", "requestedSchema"]],
    "prompts/get": [["name"], ["name", "arguments"]],
    "resources/read": [["uri"]],
    "resources/subscribe": [["uri"]],
    "resources/unsubscribe": [["uri"]],
    "roots/list": [[]],
    "sampling/createMessage": [["messages", "maxTokens"]],
    "subscriptions/listen": [["notifications"], []],
    "tasks/cancel": [["taskId"]],
    "tasks/get": [["taskId"]],
    "tasks/list": [[]],
    "tasks/result": [["taskId"]],
    "tasks/update": [["taskId"], ["taskId", "inputResponses"]],
}


def _ask(url: str, value: Any, **headers: str) -> tuple[Any, bytes]:
    sent = {"content-type": "application/json", "accept": BOTH, **headers}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(value).encode(), sent)) as answer:
        return answer.headers, answer.read()


def _tools(url: str) -> list[dict[str, Any]]:
    """What the server lists, asked as a person would before writing cards."""
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    until = time.monotonic() + 30
    while True:
        try:
            headers, _ = _ask(url, begin)
            break
        except OSError:
            assert time.monotonic() < until, "the everything-server did not start"
            time.sleep(0.1)
    session = {"mcp-session-id": headers["mcp-session-id"]}
    _ask(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **session)
    _, body = _ask(url, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, **session)
    found = re.search(rb"data: (\{.*)", body)
    assert found is not None
    return json.loads(found[1])["result"]["tools"]  # type: ignore[no-any-return]


def _rules(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A rule for each way in which a tool may be called: a rule names every argument."""
    asked: list[tuple[str, list[str]]] = []
    for tool in tools:
        needed = list(tool["inputSchema"].get("required", []))
        optional = [one for one in tool["inputSchema"].get("properties", {}) if one not in needed]
        for count in range(len(optional) + 1):
            asked += [(f"mail/{tool['name']}", [*needed, *more]) for more in itertools.combinations(optional, count)]
        if needed:
            asked.append((f"mail/{tool['name']}", []))
    asked += [(f"mail:{method}", args) for method, all_args in METHODS.items() for args in all_args]
    return [rule(tool, *args) | {"id": f"r{number}"} for number, (tool, args) in enumerate(asked)]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The server's own address, and that of the door before it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/mcp"
    environment = os.environ | {"PYTHONPATH": str(SERVER)}
    log = tmp_path_factory.mktemp("everything") / "log"
    with log.open("wb") as out:
        everything = subprocess.Popen(
            [sys.executable, "-m", "mcp_everything_server", "--port", str(port)],
            env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        tools = _tools(url)
        with tempfile.TemporaryDirectory(prefix="watchword-gate-", dir=FAST) as folder:
            here = gated(Path(folder), ALONE)
            door = behind(
                here, tools=tools, rules=_rules(tools), effects={one["name"]: "read" for one in tools},
            )  # fmt: skip
            with http_door(door, url) as at:
                yield url, f"http://127.0.0.1:{at}/mcp"
            here.close()
    finally:
        everything.kill()
        everything.wait()


def _score(suite: str, url: str) -> dict[str, tuple[int, int]]:
    """Passed and failed checks of each scenario."""
    command = THERE / "node_modules" / suite / "dist" / "index.js"
    done = subprocess.run(
        [NODE if NODE.exists() else "node", command, "server", "--url", url, "--suite", "all"],
        capture_output=True, text=True, timeout=240, check=False, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    lines = re.findall(r"^[✓✗] (\S+): (\d+) passed, (\d+) failed", done.stdout, re.MULTILINE)
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    return {name: (int(passed), int(failed)) for name, passed, failed in lines}


@pytest.mark.parametrize(("suite", "total"), [("conformance-2025", (44, 0)), ("conformance-2026", (207, 25))])
def test_behind_the_gate_a_server_conforms_as_it_does_alone(
    addresses: tuple[str, str], suite: str, total: tuple[int, int]
) -> None:
    """Scenario by scenario; the 25 are of the tasks extension, which this server lacks."""
    behind_it = _score(suite, addresses[1])
    alone = _score(suite, addresses[0])
    assert (sum(one for one, _ in alone.values()), sum(one for _, one in alone.values())) == total
    assert {name: (score, behind_it.get(name)) for name, score in alone.items() if behind_it.get(name) != score} == {}
