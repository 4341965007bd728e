"""What the gate costs a call of an MCP tool: the same server called directly and through ``watchword gate mcp``.

Each call is decided on, and its receipt synced to the disk of the temporary folder, before it goes on; the outcome is
recorded behind the answer. Direct and gated calls take turns, so that both see the same machine.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.table import Row
from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.demo import mailbox
from watchword.demo.world import REQUIREMENT
from watchword.gate.cards import draft as draft_cards
from watchword.gate.cards import read_cards
from watchword.gate.mandate import mandate_fields, read_mandate
from watchword.gate.signed_cards import cards_fields
from watchword.node import Node
from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import SystemClock, rfc3339

CALLS, WARM = 300, 20
RELEASE = Subject("benchmark 1.0", D(b"benchmark"))
USE_CASE = {
    "format": "watchword-use-case/1", "name": "mail", "purpose": "Sort mail", "criticality": 1, "human": "in",
    "members": ["ALFA"], "owner": "ALFA", "tags": [],
}  # fmt: skip
MANDATE = """
name = "benchmark"
valid_for_s = 86400
view_max_age_s = 3600
[[rules]]
id = "read"
tool = "mail/read_message"
args = [{ field = "message", op = "any" }]
"""
CALL = {"name": "read_message", "arguments": {"message": "m-1"}}

Ask = Callable[[], None]


def run() -> list[Row]:
    """Milliseconds that the gate adds to a call, over pipes and over HTTP: the difference of medians."""
    with tempfile.TemporaryDirectory(prefix="watchword-benchmark-") as name, ExitStack() as stack:
        home = _home(Path(name))
        gate = [
            sys.executable, "-m", "watchword", "gate", "mcp", "--home", str(home), "--of", RELEASE.digest,
            "--server", "mail",
        ]  # fmt: skip
        server = [sys.executable, str(Path(mailbox.__file__))]
        sync = stack.enter_context(_syncing(Path(name)))
        direct, gated = (stack.enter_context(_pipes(one)) for one in (server, [*gate, "--", *server]))
        rows = [_row("pipes", direct, gated, 3, sync)]
    with tempfile.TemporaryDirectory(prefix="watchword-benchmark-") as name, ExitStack() as stack:
        home = _home(Path(name))
        gate[gate.index("--home") + 1] = str(home)
        port, behind = _free(), _free()
        stack.enter_context(_started([sys.executable, "-m", "benchmarks.mcp", str(port)], port))
        url = f"http://127.0.0.1:{port}/mcp"
        stack.enter_context(_started([*gate, "--listen", f"127.0.0.1:{behind}", "--upstream", url], behind))
        sync = stack.enter_context(_syncing(Path(name)))
        rows.append(_row("HTTP", _http(port), _http(behind), 5, sync))
    return rows


def _row(what: str, direct: Ask, gated: Ask, goal_ms: float, sync: Ask) -> Row:
    alone: list[float] = []
    through: list[float] = []
    synced: list[float] = []
    for number in range(CALLS + WARM):
        for ask, kept in ((direct, alone), (gated, through), (sync, synced)):
            begun = time.perf_counter()
            ask()
            if number >= WARM:
                kept.append(1000 * (time.perf_counter() - begun))
    added = statistics.median(through) - statistics.median(alone)
    apart = {percent: _at(through, percent) - _at(alone, percent) for percent in (5, 95)}
    note = (
        f"p50 of {CALLS} calls, each with two receipts; at p5 {apart[5]:.1f} ms, at p95 {apart[95]:.1f} ms; "
        f"direct {statistics.median(alone):.1f} ms; a sync {statistics.median(synced):.1f} ms"
    )
    what = f"MCP tool call behind the gate, {what}: added"
    return Row(what, added, "ms", f"≤ {goal_ms:.0f} ms on an idle machine", added <= goal_ms, note=note)


def _at(values: list[float], percent: int) -> float:
    return sorted(values)[percent * len(values) // 100]


@contextmanager
def _syncing(folder: Path) -> Iterator[Ask]:
    """A line written to a file of that folder's disk, and synced."""
    with (folder / "sync").open("ab", buffering=0) as file:

        def sync() -> None:
            file.write(b"x" * 500)
            os.fdatasync(file.fileno())

        yield sync


@contextmanager
def _pipes(command: list[str]) -> Iterator[Ask]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes")
    sent, heard, number = process.stdin, process.stdout, 0

    def ask(method: str = "tools/call", params: Any = CALL) -> None:
        nonlocal number
        number += 1
        value = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        sent.write(json.dumps(value).encode() + b"\n")
        sent.flush()
        _check(json.loads(heard.readline()))

    try:
        ask("initialize", {"protocolVersion": mailbox.PROTOCOL, "capabilities": {}})
        yield ask
    finally:
        sent.close()
        process.wait(20)
        heard.close()


def _http(port: int) -> Ask:
    client, number, session = http.client.HTTPConnection("127.0.0.1", port, timeout=30), 0, ""

    def ask(method: str = "tools/call", params: Any = CALL) -> None:
        nonlocal number, session
        number += 1
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        headers |= {"mcp-session-id": session} if session else {}
        value = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        client.request("POST", "/mcp", json.dumps(value), headers)
        answer = client.getresponse()
        session = answer.getheader("mcp-session-id") or session
        _check(json.loads(answer.read()))

    ask("initialize", {"protocolVersion": mailbox.PROTOCOL, "capabilities": {}})
    return ask


def _check(answer: dict[str, Any]) -> None:
    if "error" in answer or answer["result"].get("isError"):
        raise RuntimeError(f"not let through: {answer}")


@contextmanager
def _started(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"{command[:6]} does not listen") from None
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _home(folder: Path) -> Path:
    """An alliance of one with an admitted release, cards for the mailbox and a mandate to read it."""
    clock, secret = SystemClock(), os.urandom(32)
    home = folder / "ALFA"
    people = {"boss": ["official", "evaluator", "commander", "steward"]}
    enrolment = node.create(home, "ALFA", "ALFA", people, "alfa.example", None)
    rules: dict[str, Any] = {"requirements": [REQUIREMENT], "red_lines": [], "standing": read_pack(None).standing}
    made = rfc3339(datetime.now(UTC) - timedelta(seconds=5))
    charter = parse_charter(draft("Benchmark", [enrolment], [], **rules, secret=secret, made=made))
    node.adopt(home, CharterFile(charter, (node.ratify(home, charter, clock)[1],)), secret, clock)
    with Node.open(home, clock=clock, writing=True) as here:
        here.sign_and_append("inspection", (RELEASE,), {
            "tool": {"name": "benchmark", "version": "1", "rules": "none"}, "verdict": "nothing-found", "files": 1,
            "bytes": 1, "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
        })  # fmt: skip
        here.publish(refresh=True)
        view = here.latest_view()
        admission = admit(charter, view, here.facts(view), rfc3339(clock.now()), RELEASE, USE_CASE)
        if not admission.admitted:
            raise RuntimeError(str(admission.explanation))
        decision = here.record_decision(admission.decision, admission.objects, person="boss")
        value = draft_cards("mail", mailbox.TOOLS)
        for card in value["tools"]:
            card["effect"] = "read" if card["tool"] == "read_message" else card["effect"]
        here.sign_and_append("tool-cards", *cards_fields(read_cards(value)), person="boss")
        (folder / "mandate.toml").write_text(MANDATE, "utf-8")
        mandate = read_mandate(folder / "mandate.toml")
        fields = mandate_fields(mandate, here.locate(decision.id).signed, clock.now())
        here.sign_and_append("mandate", *fields, person="boss")
        here.publish(refresh=True)
    return home


def _serve(port: int) -> None:
    """The mailbox over HTTP: as little server as there can be, so that it hides nothing."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        message = json.loads(body)
        value = {"jsonrpc": "2.0", "id": message.get("id"), **mailbox._answer(message, None)}
        data = json.dumps(value).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, (b"mcp-session-id", b"s")]})
        await send({"type": "http.response.body", "body": data})

    import uvicorn

    config = uvicorn.Config(answer, port=port, http="h11", lifespan="off", log_config=None, access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
