"""The MCP door over HTTP: who may speak, what goes to the server, and what a broken answer leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gate.gated import Gated
from gate.mailboxed import behind

pytest.importorskip("starlette", reason="what a door over HTTP needs is not installed")
pytest.importorskip("uvicorn", reason="what a door over HTTP needs is not installed")
from web.doors import Mailbox, http_door, modern, post, request

from watchword.web import mcp_door
from watchword.web.events import BadStream, Event, Events
from watchword.web.headers import mismatch


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    server = Mailbox()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _events(here: Gated) -> list[str]:
    return sorted(receipt["event"] for receipt in here.receipts())


def _begin(port: int) -> str:
    status, headers, _ = post(port, request(0, "initialize", protocolVersion="2025-11-25", capabilities={}))
    assert status == 200
    return headers["mcp-session-id"]


def _call(id: int, tool: str, **args: Any) -> dict[str, Any]:
    return request(id, "tools/call", name=tool, arguments=args)


def test_only_what_was_let_go_reaches_the_server(alone: Gated, mail: Mailbox) -> None:
    """The server's own list of requests is a part of the record."""
    with http_door(behind(alone), mail.url) as port:
        session = _begin(port)
        status, _, read = post(port, _call(1, "read_message", message="m-1"), mcp_session_id=session)
        assert (status, read["result"]["structuredContent"]["from"]) == (200, "pilot@bravo.example")
        status, _, denied = post(port, _call(2, "delete_mailbox", mailbox="x"), mcp_session_id=session)
        assert (status, denied["result"]["isError"]) == (200, True)
        assert post(port, {"jsonrpc": "2.0", "method": "notifications/initialized"}, mcp_session_id=session)[0] == 202
        assert post(port, {"jsonrpc": "2.0", "method": "notifications/evil"}, mcp_session_id=session)[0] == 202
    assert mail.called() == ["read_message"]
    assert "notifications/evil" not in [body["method"] for _, body in mail.seen]
    assert _events(alone) == ["denied", "permitted", "returned"]


def test_a_page_elsewhere_and_another_name_for_this_host_are_refused(alone: Gated, mail: Mailbox) -> None:
    """DNS rebinding: nothing reaches the server (seen to reach it without the guard)."""
    with http_door(behind(alone), mail.url) as port:
        ping = request(1, "initialize", protocolVersion="2025-11-25", capabilities={})
        assert post(port, ping, host="evil.example")[0] == 421
        assert post(port, ping, origin="https://evil.example")[0] == 403
        assert post(port, ping, origin="null")[0] == 403
        assert post(port, ping, path="/other")[0] == 404
        assert post(port, ping, content_type="text/plain")[0] == 415
        assert mail.seen == []
        assert post(port, ping, origin=f"http://localhost:{port}")[0] == 200


def test_a_client_shows_its_token_and_the_server_gets_another(alone: Gated, mail: Mailbox) -> None:
    """No client's token is passed through; without it nobody is heard."""
    with http_door(behind(alone), mail.url, token="client-token", upstream_token="server-token") as port:
        begin = request(1, "initialize", protocolVersion="2025-11-25", capabilities={})
        for wrong in ({}, {"authorization": "Bearer other"}, {"authorization": "client-token"}):
            status, headers, _ = post(port, begin, **wrong)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert mail.seen == []
        assert post(port, begin, authorization="Bearer client-token", cookie="a=b")[0] == 200
    (headers, _), = mail.seen
    assert headers["authorization"] == "Bearer server-token" and "cookie" not in headers


def test_a_session_that_this_door_did_not_begin_is_none(alone: Gated, mail: Mailbox) -> None:
    """Nobody speaks in another's session by guessing, nor after a restart of the door."""
    with http_door(behind(alone), mail.url) as port:
        for guessed in ({}, {"mcp_session_id": "s-1"}):
            assert post(port, _call(1, "read_message", message="m-1"), **guessed)[0] == 404
    assert mail.seen == []


def test_headers_that_say_another_thing_than_the_body_are_refused(alone: Gated, mail: Mailbox) -> None:
    """2026-07-28: whoever stands behind may go by the headers; the gate went by the body (seen to pass unchecked)."""
    with http_door(behind(alone), mail.url) as port:
        body, headers = modern(1, "tools/call", name="read_message", arguments={"message": "m-1", "n": 2, "b": True})
        for change in (
            {"mcp_name": "forward"}, {"mcp_method": "tools/list"}, {"mcp_protocol_version": "2025-11-25"},
            {"mcp_param_message": "m-7"}, {"mcp_param_n": "3"},
        ):  # fmt: skip
            status, _, told = post(port, body, **(headers | change))
            assert (status, told["error"]["code"]) == (400, -32020), change
        assert mail.called() == []
        assert post(port, request(1, "tools/list"), **headers)[2]["error"]["code"] == -32602
        body, headers = modern(1, "tools/call", name="read_message", arguments={"message": "m-1"})
        status, _, read = post(port, body, mcp_param_message="=?base64?bS0x?=", **headers)
        assert (status, read["result"]["structuredContent"]["from"]) == (200, "pilot@bravo.example")
    assert mail.called() == ["read_message"]


def test_a_header_twice_is_a_mismatch() -> None:
    """Two readers would take two values."""
    body, _ = modern(1, "ping")
    from watchword.gate.mcp.message import read_message

    message = read_message(body)
    assert mismatch([("mcp-method", "ping")], message) is None
    assert mismatch([("mcp-method", "ping"), ("Mcp-Method", "ping")], message) is not None


@pytest.mark.parametrize(("how", "status", "outcome"), [("dies", 502, "unknown"), ("busy", 503, "unknown"),
                                                        ("breaks", 200, "unknown")])  # fmt: skip
def test_an_answer_that_is_lost_leaves_a_write_unknown(
    alone: Gated, mail: Mailbox, how: str, status: int, outcome: str
) -> None:
    """A broken connection, an overloaded server, a stream cut off: nobody knows; the same again is denied."""
    with http_door(behind(alone), mail.url) as port:
        session = _begin(port)
        mail.how = how
        asked = _call(1, "label_attachment", message="m-1", type="pdf")
        assert post(port, asked, mcp_session_id=session)[0] == status
        mail.how = ""
        again = post(port, asked | {"id": 2}, mcp_session_id=session)[2]
        assert "nobody knows whether" in again["result"]["content"][0]["text"]
    assert mail.called() == ["label_attachment"]
    assert _events(alone) == ["denied", "permitted", outcome]


def test_a_server_that_is_not_there_leaves_nothing_unknown_that_reads(alone: Gated) -> None:
    """The client is told in the protocol's own form."""
    with http_door(behind(alone), "http://127.0.0.1:9/mcp") as port:
        status, _, told = post(port, request(0, "initialize", protocolVersion="2025-11-25", capabilities={}))
        assert status == 502 and "cannot be reached" in told["error"]["message"]


def test_a_stream_is_passed_on_message_by_message_and_what_is_refused_in_it_is_answered(
    alone: Gated, mail: Mailbox
) -> None:
    """A log line and the answer reach the client; the request for roots, which it never offered, is answered here."""
    with http_door(behind(alone), mail.url) as port:
        session = _begin(port)
        mail.how = "streams"
        status, headers, body = post(port, _call(1, "read_message", message="m-1"), mcp_session_id=session)
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert b"notifications/message" in body and b"pilot@bravo.example" in body and b"roots/list" not in body
        for _ in range(100):
            if mail.seen[-1][1].get("id") == "s":
                break
            threading.Event().wait(0.02)
    assert mail.seen[-1][1]["error"]["code"] == -32601


def test_a_body_past_the_limit_is_refused_unread(
    alone: Gated, mail: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile client costs a bounded amount of memory."""
    monkeypatch.setattr(mcp_door, "MCP_LINE_BYTES_MAX", 10_000)
    with http_door(behind(alone), mail.url) as port:
        assert post(port, b'{"x":"' + b"a" * 20_000 + b'"}')[0] == 400
    assert mail.seen == []


def test_events_are_read_as_the_standard_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces of any size, with either line end; comments are dropped, ids and data kept."""
    stream = b": hi\r\nid: 1\r\ndata: a\r\ndata:b\r\n\r\nevent: x\nretry: 5\n\n"
    for size in (1, 3, len(stream)):
        reader = Events()
        found = [one for at in range(0, len(stream), size) for one in reader.feed(stream[at : at + size])]
        assert [(one.data, one.has_id) for one in found] == [("a\nb", True), (None, False)]
        assert found[0].encode("c") == b"id: 1\ndata: c\n\n"
    assert Event((("data", "x"),)).encode() == b"data: x\n\n"
    monkeypatch.setattr("watchword.web.events.MCP_LINE_BYTES_MAX", 100)
    with pytest.raises(BadStream):
        list(Events().feed(b"data: " + b"x" * 200))


def test_clients_that_share_a_conversation_may_use_equal_ids(alone: Gated, mail: Mailbox) -> None:
    """2026-07-28 has no sessions: two requests of id 1 at a time are two, and each gets its own answer."""
    mail.how = "slow"
    with http_door(behind(alone), mail.url) as port, ThreadPoolExecutor(2) as pool:
        asked = [modern(1, "tools/call", name="read_message", arguments={"message": one}) for one in ("m-1", "m-7")]
        told = list(pool.map(lambda one: post(port, one[0], **one[1])[2], asked))
    senders = [one["result"]["structuredContent"]["from"] for one in told]
    assert senders == ["pilot@bravo.example", "port@echo.example"]


def test_the_first_two_clients_wait_for_one_list_of_tools(alone: Gated, mail: Mailbox) -> None:
    """A second list would have begun the first anew, and who waited for that would be told that there is none. Seen to
    fail without the lock."""
    mail.how = "lists slowly"
    with http_door(behind(alone), mail.url) as port, ThreadPoolExecutor(2) as pool:
        asked = [modern(1, "tools/call", name="read_message", arguments={"message": one}) for one in ("m-1", "m-7")]
        told = list(pool.map(lambda one: post(port, one[0], **one[1])[2], asked))
    assert all("result" in one for one in told)
    assert [body["method"] for _, body in mail.seen].count("tools/list") == 1
