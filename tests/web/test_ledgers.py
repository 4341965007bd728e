"""A node over HTTP, asked by programs that know only the C2SP specifications, and by those that lie."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from alliance import Alliance

from watchword.ledger.checkpoint import Checkpoint, cosignatures, sign_checkpoint, verify_head
from watchword.ledger.demand import CONTEXT, sign_demand
from watchword.ledger.merkle import consistency_path, leaf_hash, root_of
from watchword.ledger.tiles import decode_bundle
from watchword.ledger.witness import format_request
from watchword.limits import WITNESS_REQUEST_BYTES_MAX
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64
from watchword.statements.times import rfc3339
from watchword.web import ledgers, serving

Served = Callable[[str], str]
ORIGIN = "alfa.example/ledger"
PLACE = sha256(ORIGIN.encode()).hexdigest()


def ask(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, bytes]:
    """One request with nothing of ours on the asking side: status, content type, content."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{path}", body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type") or "", content


def head(size: int, forked_at: int | None = None) -> tuple[list[bytes], Checkpoint]:
    row = [leaf_hash(b"entry %d%s" % (i, b"!" if i == forked_at else b"")) for i in range(size)]
    return row, Checkpoint(ORIGIN, size, root_of(row))


def request(alliance: Alliance, old: int, size: int, forked_at: int | None = None) -> bytes:
    row, checkpoint = head(size, forked_at)
    path = consistency_path(lambda level, index: root_of(row[index << level : (index + 1) << level]), old, size)
    return format_request(old, path, sign_checkpoint(checkpoint, alliance.nodes["ALFA"].keys.job("ledger")))


# -- the witness ----------------------------------------------------------------------------------


def test_the_witness_answers_as_the_specification_says(alliance: Alliance, served: Served) -> None:
    """tlog-witness, status by status, with its content types; the monitoring endpoint shows what was cosigned."""
    url, where = served("BRAVO"), "witness/add-checkpoint"
    last = f"witness/{PLACE}/checkpoint"
    # BRAVO's witness has cosigned nothing of ALFA's yet.
    assert ask(url, "GET", last)[0] == 404
    status, kind, lines = ask(url, "POST", where, request(alliance, 0, 5))
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    key, known = alliance.charter_file.charter.origins[ORIGIN].key, alliance.charter_file.charter.witness_keys
    status, kind, kept = ask(url, "GET", last)
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    assert kept.endswith(lines)
    assert verify_head(kept, ORIGIN, key) == head(5)[1]
    assert list(cosignatures(kept, known)) == ["bravo.example/witness"]
    assert ask(url, "POST", where, request(alliance, 5, 8))[0] == 200
    assert ask(url, "POST", where, request(alliance, 5, 9)) == (409, "text/x.tlog.size", b"8\n")
    assert ask(url, "POST", where, request(alliance, 8, 9, forked_at=2))[0] == 422
    assert ask(url, "POST", where, request(alliance, 8, 8).replace(b"old 8", b"old 9"))[0] == 400
    assert ask(url, "POST", where, b"old")[0] == 400
    assert ask(url, "POST", where, request(alliance, 8, 9).replace(ORIGIN.encode(), b"other.example/x"))[0] == 404
    other = sign_checkpoint(head(9)[1], alliance.nodes["BRAVO"].keys.job("ledger"))
    assert ask(url, "POST", where, format_request(8, [], other))[0] == 403
    assert ask(url, "GET", where)[0] == 405
    assert ask(url, "POST", where, b"x" * (WITNESS_REQUEST_BYTES_MAX + 1))[0] == 413


def test_a_fork_shown_to_a_witness_is_kept(alliance: Alliance, served: Served) -> None:
    """Equal size, another root, both signed: 422, and both heads are on BRAVO's disk (I6)."""
    url = served("BRAVO")
    assert ask(url, "POST", "witness/add-checkpoint", request(alliance, 0, 5))[0] == 200
    forked = request(alliance, 5, 5, forked_at=1)
    assert ask(url, "POST", "witness/add-checkpoint", forked)[0] == 422
    assert ask(url, "POST", "witness/add-checkpoint", forked)[0] == 422
    (folder,) = alliance.nodes["BRAVO"].store.splits()
    key = alliance.charter_file.charter.origins[ORIGIN].key
    assert verify_head((folder / "ours").read_bytes(), ORIGIN, key) == head(5)[1]
    assert verify_head((folder / "theirs").read_bytes(), ORIGIN, key) == head(5, forked_at=1)[1]


def test_a_bad_proof_alone_convicts_nobody(alliance: Alliance, served: Served) -> None:
    """A signed head with a proof that does not fit is refused, and nothing is kept against its log."""
    url = served("BRAVO")
    assert ask(url, "POST", "witness/add-checkpoint", request(alliance, 0, 5))[0] == 200
    assert ask(url, "POST", "witness/add-checkpoint", request(alliance, 5, 7, forked_at=1))[0] == 422
    assert alliance.nodes["BRAVO"].store.splits() == []


# -- files ----------------------------------------------------------------------------------------


def test_ledgers_are_served_where_their_origin_says(alliance: Alliance, served: Served) -> None:
    """tlog-tiles: own ledgers at the path of their origin, all by its digest; content types; conditional requests."""
    log = alliance.nodes["ALFA"].store.own("ledger")
    log.append([b"\x01" + bytes([i]) * 32 for i in range(3)])
    alliance.nodes["ALFA"].publish()
    url = served("ALFA")
    for prefix in ("ledger", f"logs/{PLACE}"):
        status, kind, note = ask(url, "GET", f"{prefix}/checkpoint")
        assert (status, kind, note) == (200, "text/plain; charset=utf-8", log.checkpoint())
        status, kind, bundle = ask(url, "GET", f"{prefix}/tile/entries/000.p/3")
        assert (status, kind, len(decode_bundle(bundle, 3))) == (200, "application/octet-stream", 3)
        assert len(ask(url, "GET", f"{prefix}/tile/0/000.p/3")[2]) == 96
        tag = f'"{sha256(note).hexdigest()[:32]}"'
        assert ask(url, "GET", f"{prefix}/checkpoint", If_None_Match=tag)[::2] == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "record/checkpoint",
        "logs/" + sha256(b"alfa.example/record").hexdigest() + "/checkpoint",
        "ledger/intake",
        "ledger/staging/lock",
        "ledger/tile/../intake",
        "ledger/tile/entries/../../../keys/witness.pem",
        "ledger/tile/entries/%2e%2e/%2e%2e/intake",
        "ledger/tile/0/000.p/256",
        "ledger/tile/0/x000/000",
        f"logs/{PLACE}/tile/entries/999",
        f"logs/{PLACE.upper()}/checkpoint",
        "logs/../keys/witness.pem",
        "keys/witness.pem",
        "charter.json",
        "",
    ],
)
def test_nothing_else_is_served(alliance: Alliance, served: Served, path: str) -> None:
    """Not the private record, not a file beside the ledger, not by any spelling of a path (I10)."""
    assert ask(served("ALFA"), "GET", path)[0] == 404


# -- bodies ---------------------------------------------------------------------------------------


def demand(alliance: Alliance, **changes: object) -> bytes:
    charter, bravo = alliance.charter_file.charter, alliance.nodes["BRAVO"]
    now = rfc3339(alliance.clock.now())
    if not changes:
        return sign_demand(charter, "BRAVO", "ALFA", now, [], None, bravo.keys.job("witness"))
    value = {
        "charter": charter.digest, "format": "watchword-demand/1", "from": "BRAVO", "loose": None, "time": now,
        "to": "ALFA", "want": [],
    } | changes  # fmt: skip
    message = CONTEXT + b"\n" + canonical(value)
    key = bravo.keys.job("witness")
    return canonical(
        {"demand": value, "signature": b64(key.sign_ed25519(message) + key.sign_mldsa(message, CONTEXT))}
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"from": "CHARLIE"}, "does not verify"),
        ({"from": "MALLORY"}, "no member"),
        ({"to": "CHARLIE"}, "is for"),
        ({"charter": "sha256:" + "00" * 32}, "under charter"),
        ({"time": "2026-01-31T11:54:59Z"}, "not of now"),
        ({"time": "2026-01-31T12:05:01Z"}, "not of now"),
        ({"time": "2026-02-30T12:05:01Z"}, "not a time"),
        ({"from": None}, "nobody"),
        ({"want": ["sha256:" + "00" * 32] * 1001}, "want"),
        ({"more": 1}, "more"),
    ],
)
def test_a_request_for_bodies_that_is_not_what_it_says_is_refused(
    alliance: Alliance, served: Served, changes: dict[str, object], why: str
) -> None:
    """Signed by another, for another, of another time or form. Fails for each check that is removed."""
    status, _, said = ask(served("ALFA"), "POST", "bodies", demand(alliance, **changes))
    assert (status, why in said.decode()) == (403, True), said


def test_a_request_passed_on_is_refused(alliance: Alliance, served: Served) -> None:
    """BRAVO's request to ALFA, replayed by ALFA against CHARLIE, gets ALFA nothing. Fails if ``to`` is not signed."""
    honest = demand(alliance)
    assert ask(served("ALFA"), "POST", "bodies", honest)[0] == 200
    assert ask(served("CHARLIE"), "POST", "bodies", honest)[0] == 403


def test_bodies_are_packed_for_who_takes_it(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gzip where the request names it and does not refuse it; the same answer to everybody else."""
    monkeypatch.setattr(ledgers, "_PACKED_BYTES_MIN", 1)
    url = served("ALFA")
    plain = ask(url, "POST", "bodies", demand(alliance))[2]
    for coding, packed in (("gzip", True), ("br, GZip;q=0.5", True), ("gzip;q=0", False), ("gzip;q=0.00", False),
                           ("identity", False), ("gzipped", False)):  # fmt: skip
        body = ask(url, "POST", "bodies", demand(alliance), Accept_Encoding=coding)[2]
        assert (body[:2] == b"\x1f\x8b") is packed, coding
        assert (gzip.decompress(body) if packed else body) == plain


def test_health_tells_sizes_while_the_ledgers_can_be_read(alliance: Alliance, served: Served) -> None:
    """200 with the size of each own shared ledger; anything else where a head is gone or is not ours."""
    url, folder = served("ALFA"), alliance.nodes["ALFA"].store.folder(ORIGIN)
    alliance.nodes["ALFA"].store.own("ledger").append([b"\x01" * 33])
    alliance.nodes["ALFA"].publish()
    status, kind, said = ask(url, "GET", "health")
    assert (status, kind) == (200, "application/json")
    assert json.loads(said) == {"member": "ALFA", "sizes": {ORIGIN: 1, "alfa.example/notices": 0}}
    note = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(note.replace(b"\n1\n", b"\n2\n"))
    assert ask(url, "GET", "health")[0] == 500
    (folder / "checkpoint").unlink()
    assert ask(url, "GET", "health")[0] == 503


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"demand":1,"signature":null}'])
def test_a_malformed_request_for_bodies_is_refused(alliance: Alliance, served: Served, body: bytes) -> None:
    """By name, and the node goes on."""
    assert ask(served("ALFA"), "POST", "bodies", body)[0] == 403


# -- hostile clients ------------------------------------------------------------------------------


def test_a_slow_head_is_cut_off(alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never ends its head, first or later on its connection, loses it. Fails without ``Patience``."""
    monkeypatch.setattr(serving, "SERVE_HEAD_S_MAX", 0.4)
    address = urlsplit(served("ALFA"))
    for first in (b"", b"GET /ledger/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n"):
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(first)
            if first:
                client.recv(65_536)
            begun = time.monotonic()
            with pytest.raises(OSError):  # whichever way the other end shows
                while time.monotonic() - begun < 60:
                    client.sendall(b"G" if not first else b"GET /")
                    time.sleep(0.1)
            assert time.monotonic() - begun < 60


def test_a_slow_body_is_cut_off(alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that drips in holds a place for SERVE_REQUEST_S_MAX and no longer. Fails without ``Deadline``."""
    monkeypatch.setattr(serving, "SERVE_REQUEST_S_MAX", 0.4)
    address = urlsplit(served("ALFA"))
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(b"POST /bodies HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        assert client.recv(100).startswith(b"HTTP/1.1 408")


def test_one_connection_too_many_is_told_to_come_again(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the others go on."""
    monkeypatch.setattr(serving, "SERVE_CONNECTIONS_MAX", 3)
    address = urlsplit(served("ALFA"))
    held = [socket.create_connection((address.hostname, address.port)) for _ in range(3)]
    told: list[int] = []
    for status in (503, 200):
        until = time.monotonic() + 60
        while told[-1:] != [status] and time.monotonic() < until:
            told.append(ask(served("ALFA"), "GET", "ledger/checkpoint")[0])
            time.sleep(0.05)
        assert told[-1] == status
        for one in held:
            one.close()


# -- the process ----------------------------------------------------------------------------------


@contextmanager
def process(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``watchword serve`` on its own, and its address; ended in order, unless it was killed before."""
    command = [sys.executable, "-m", "watchword", "serve", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        line = running.stdout.readline() if running.stdout else ""
        found = re.search(r"http://\S+", line)
        assert found, line
        yield running, found[0]
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0


def test_a_witness_killed_at_any_moment_never_cosigned_two_histories(alliance: Alliance) -> None:
    """kill -9 amid two rival histories, until one is cosigned: no answer for the other ever left.

    Fails if the answer leaves before the head is on disk, or without the lock.
    """
    alliance.nodes["BRAVO"].close()
    key = alliance.charter_file.charter.origins[ORIGIN].key
    cosigned: list[int | None] = []

    def submit(url: str, forked: int | None) -> None:
        with suppress(OSError, http.client.HTTPException):
            if ask(url, "POST", "witness/add-checkpoint", request(alliance, 0, 5, forked))[0] == 200:
                cosigned.append(forked)

    for wait_s in (0.02, 0.05, 0.5, 60):
        with process(alliance.home("BRAVO")) as (running, url):
            threads = [threading.Thread(target=submit, args=(url, forked)) for forked in (None, 0, None, 0)]
            for thread in threads:
                thread.start()
            killed = time.monotonic() + wait_s
            while not cosigned and time.monotonic() < killed:
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
            running.wait()
            for thread in threads:
                thread.join()
        with process(alliance.home("BRAVO")) as (_, url):
            status, _, kept = ask(url, "GET", f"witness/{PLACE}/checkpoint")
            chosen = [] if status == 404 else [None if verify_head(kept, ORIGIN, key) == head(5)[1] else 0]
        assert set(cosigned) <= set(chosen)
        if chosen:
            return
    raise AssertionError("nothing was ever cosigned")
