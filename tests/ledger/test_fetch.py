"""A peer that is slow, endless, folded small, or does not speak HTTP, and what it costs to ask it."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.fetch import BadAnswer, Remote, Unreachable, check_url

Peer = Callable[..., str]


@pytest.fixture
def peer() -> Iterator[Peer]:
    """``peer(*pieces, pause_s=0)``: a server that answers each connection with these pieces, whatever it was asked."""
    with ExitStack() as stack:

        def start(*pieces: bytes, pause_s: float = 0.0, endless: bytes = b"") -> str:
            bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=answer, args=(bound, pieces, pause_s, endless), daemon=True)
            thread.start()
            stack.callback(bound.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{bound.getsockname()[1]}/"

        def answer(bound: socket.socket, pieces: tuple[bytes, ...], pause_s: float, endless: bytes) -> None:
            while True:
                try:
                    connection, _ = bound.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65_536)
                        for piece in pieces:
                            connection.sendall(piece)
                            time.sleep(pause_s)
                        while endless:
                            connection.sendall(endless)
                            time.sleep(pause_s)
                    except OSError:
                        pass

        yield start


def http(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_an_honest_answer_is_taken(peer: Peer) -> None:
    """Plain and gzip, up to the very limit."""
    with Remote(peer(http(b"x" * 1000))) as remote:
        assert remote.get("file", 1000).body == b"x" * 1000
        assert (remote.requests, remote.received) == (1, 1000)
    with Remote(peer(http(gzip.compress(b"x" * 1000), "Content-Encoding: gzip", 'ETag: "a"'))) as remote:
        assert remote.get("file", 1000)[1:] == (b"x" * 1000, '"a"')


@pytest.mark.parametrize(
    ("pieces", "endless"),
    [
        ((http(b"x" * 1001),), b""),
        ((b"HTTP/1.1 200 OK\r\n\r\n",), b"x" * 65_536),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",), b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
        ((http(gzip.compress(b"x" * 50_000_000), "Content-Encoding: gzip"),), b""),
        ((http(gzip.compress(b"x")[:-1], "Content-Encoding: gzip"),), b""),
        ((http(gzip.compress(b"x") + b"more", "Content-Encoding: gzip"),), b""),
        ((http(b"not gzip", "Content-Encoding: gzip"),), b""),
        ((http(b"x", "Content-Encoding: br"),), b""),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",), b""),
        ((b"SSH-2.0-x\r\n",), b""),
        ((b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",), b""),
    ],
    ids=[
        "one byte more", "endless", "endless in chunks", "gzip bomb", "gzip cut off", "gzip and more", "no gzip",
        "a coding not asked for", "cut off", "no HTTP", "too many headers",
    ],
)  # fmt: skip
def test_an_answer_out_of_bounds_is_refused(peer: Peer, pieces: tuple[bytes, ...], endless: bytes) -> None:
    """Fails for each bound that is removed from ``fetch``: the test then takes it, or does not end."""
    with Remote(peer(*pieces, endless=endless), seconds_max=5) as remote, pytest.raises(BadAnswer):
        remote.get("file", 1000)


@pytest.mark.parametrize(
    ("pieces", "endless"),
    [
        ((), b"H"),
        ((b"HTTP/1.1 200 OK\r\n",), b"a"),
        ((), b"HTTP/1.1 100 Continue\r\n\r\n"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",), b"x"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",), b"a: b\r\n"),
    ],
    ids=["status", "head", "continue", "body", "trailer"],
)
def test_a_drip_does_not_prolong_a_request(peer: Peer, pieces: tuple[bytes, ...], endless: bytes) -> None:
    """A byte now and then keeps no reader: the clock is of the whole request. Fails with a time-out per read."""
    begun = time.monotonic()
    with Remote(peer(*pieces, pause_s=0.05, endless=endless), seconds_max=0.5) as remote, pytest.raises(Unreachable):
        remote.get("file", 1000)
    assert time.monotonic() - begun < 60


def test_who_hangs_up_is_unreachable_and_said_nothing_wrong(peer: Peer) -> None:
    """A connection that ends before any answer is a node that is not there: a killed process convicts nobody."""
    with Remote(peer()) as remote, pytest.raises(Unreachable, match="closed connection without response"):
        remote.get("file", 10)


def test_nobody_there_is_unreachable(peer: Peer) -> None:
    """Not an internal error, and the address is named."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    with Remote(url) as remote, pytest.raises(Unreachable, match=url):
        remote.get("file", 1)


def test_one_run_reads_no_more_than_its_share(peer: Peer) -> None:
    """Many files within their bounds are still bounded together."""
    with Remote(peer(http(b"x" * 1000)), run_bytes_max=2500) as remote:
        for _ in range(2):
            remote.get("file", 1000)
        with pytest.raises(BadAnswer):
            remote.get("file", 1000)


def test_a_redirect_is_not_followed(peer: Peer) -> None:
    """The status is told to whoever asked; nothing else is asked."""
    with Remote(peer(b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n")) as remote:
        assert remote.get("file", 10).status == 302
        assert remote.requests == 1


@pytest.mark.parametrize(
    "url",
    ["", "alfa.example", "file:///etc/passwd", "http://", "http://a:b@alfa.example/", "http://alfa.example/?x",
     "http://alfa.example/#x", "http://alfa.example:0x50/", "http://alfa example/\n", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_of_a_node_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(BadAnswer):
        check_url(url)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda b: b"HTTP/1.1 200 OK\r\n" + b))
def test_any_bytes_are_an_answer_or_its_own_error(answer: bytes) -> None:
    """Fuzzed answers raise only this room's errors, and end."""
    ours, theirs = socket.socketpair()
    with theirs, Remote("http://peer.example/", seconds_max=2) as remote:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        remote._connect = lambda: _over(ours)  # type: ignore[method-assign]
        with suppress(BadAnswer, Unreachable):
            assert len(remote.get("file", 100).body) <= 100


def _over(sock: socket.socket):
    import http.client

    connection = http.client.HTTPConnection("peer.example")
    connection.sock = sock
    return connection
