"""What a serving node tells of requests: patterns and numbers, and the trace that goes from node to node."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from alliance import RELEASE, Alliance, inspection
from gate.gated import ALONE, gated
from starlette.requests import ClientDisconnect
from web.consoled import ORIGIN, Consoled

from watchword.node.sync import sync
from watchword.node.witnessing import ask_witnesses
from watchword.observe.lines import json_lines
from watchword.web.console.door import Console
from watchword.web.observed import Observed

Served = Callable[[str], str]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def get(url: str, path: str, method: str = "GET", **headers: str) -> int:
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        client.request(method, path, headers=headers)
        answer = client.getresponse()
        answer.read()
        return answer.status
    finally:
        client.close()


def requests(stream: io.StringIO) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [one for one in told if one["event"] == "request"]


def wait_for(stream: io.StringIO, count: int) -> None:
    """A request is told after its last byte: its asker may be quicker."""
    until = time.monotonic() + 60
    while stream.getvalue().count('"event":"request"') < count and time.monotonic() < until:
        time.sleep(0.01)


def test_a_request_is_told_by_its_routes_pattern(alliance: Alliance, served: Served) -> None:
    """Known routes by their patterns, all others as one; whatever stands in path, query and headers is not told."""
    url, stream = served("ALFA"), io.StringIO()
    place = sha256(b"alfa.example/ledger").hexdigest()
    with json_lines(stream):
        assert get(url, f"/logs/{place}/checkpoint?token=s3cret", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01") == 200
        assert get(url, "/logs/s3cret/tile/x/s3cret") == 404
        assert get(url, "/s3cret/path", cookie="s3cret") == 404
        assert get(url, "/health", "S3CRET") == 405
        wait_for(stream, 4)
    told = [(one["method"], one["route"], one["status"], one["outcome"]) for one in requests(stream)]
    assert sorted(told) == [
        ("GET", "/logs/{place}/checkpoint", 200, "answered"),
        ("GET", "/logs/{place}/{path:path}", 404, "refused"),
        ("GET", "none", 404, "refused"),
        ("other", "/health", 405, "refused"),
    ]
    assert TRACE in {one["trace"] for one in requests(stream)}
    assert "s3cret" not in stream.getvalue().lower() and place not in stream.getvalue()


def test_a_link_that_signs_in_stands_in_no_log(tmp_path: Path) -> None:
    """The console's addresses hold tokens. Fails where paths are told."""
    here, stream = gated(tmp_path, ALONE), io.StringIO()
    told = Consoled(here, here.at("ALFA"), Observed(Console(here.at("ALFA"), ORIGIN)))  # type: ignore[arg-type]
    with json_lines(stream):
        assert told.get("/in/1767225600/abcdef").status == 200
        assert told.get("/holds/0badcafe/t0ken").status == 404
    here.close()
    assert [one["route"] for one in requests(stream)] == ["/console/in/{made}/{token}", "/console/holds/{name}/{token}"]
    assert "abcdef" not in stream.getvalue() and "t0ken" not in stream.getvalue()


def test_a_sync_and_what_it_causes_at_its_peer_are_one_trace(alliance: Alliance, served: Served) -> None:
    """One line at the asker, one for each request at the peer, all of one trace (``traceparent`` goes along)."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes["ALFA"].publish()
    url, stream = served("ALFA"), io.StringIO()
    with json_lines(stream):
        (brought,) = sync(alliance.nodes["BRAVO"], {"ALFA": url})
        asked = ask_witnesses(alliance.nodes["BRAVO"], {"ALFA": url})
        wait_for(stream, brought.requests + 2)
    assert [one.trouble for one in asked] == ["", ""]
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    (synced,) = [one for one in told if one["event"] == "sync"]
    (witnessed,) = [one for one in told if one["event"] == "witness"]
    assert (synced["peer"], synced["outcome"], synced["leaves"], synced["bodies"]) == ("ALFA", "synced", 1, 1)
    assert (witnessed["peer"], witnessed["outcome"]) == ("ALFA", "cosigned")
    caused = [one["trace"] for one in requests(stream)]
    assert caused.count(synced["trace"]) == synced["requests"] >= 3
    assert caused.count(witnessed["trace"]) == 2 and set(caused) == {synced["trace"], witnessed["trace"]}


@pytest.mark.parametrize(
    ("raised", "troubles"), [(ValueError("ann"), ["ValueError"]), (ClientDisconnect(), []), (TimeoutError(), [])]
)
def test_what_no_door_expected_is_told_and_a_client_that_goes_away_is_not(
    raised: Exception, troubles: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug behind a route is a line of trouble, logged or not; who asks cannot make one by hanging up."""

    async def inner(*_: Any) -> None:
        raise raised

    async def nothing(*_: Any) -> Any:
        return {}

    def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
        with pytest.raises(type(raised)):
            asyncio.run(Observed(inner)(scope, nothing, nothing))

    stream = io.StringIO()
    with json_lines(stream):
        ask()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["error"] for one in told if one["event"] == "trouble"] == troubles
    assert [(one["outcome"], one["error"]) for one in requests(stream)] == [("cut", type(raised).__name__)]
    assert "ann" not in stream.getvalue()
    ask()
    assert bool(capsys.readouterr().err) == bool(troubles)
