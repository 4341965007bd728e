"""Several processes decide for one gate: what one let go, held, took or was told counts for all, at once."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate.gated import FAST, SLEW
from gate.shared import Shared
from gate.shared import server as server

from watchword.gate import Gate, NoSuchHold
from watchword.gate.approval import TakenBefore
from watchword.ledger.durable import StorageTrouble
from watchword.limits import SHARED_PAUSE_S
from watchword.node import Node, sharing
from watchword.node.sharing import NotShared, PutBack
from watchword.statements.statement import Subject

ALL = Subject("all", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@pytest.fixture
def shared(server: Any) -> Iterator[Shared]:
    with tempfile.TemporaryDirectory(prefix="watchword-shared-", dir=FAST) as folder:
        one = Shared(Path(folder), server)
        one.gated.ask()
        one.begin()
        yield one
        one.close()


def sql(shared: Shared, statement: str, *values: Any) -> None:
    """What somebody does in the database who has no home."""
    import psycopg

    with psycopg.connect(shared.url, autocommit=True) as connection:
        connection.execute(statement, values)


def test_a_quota_is_one_for_all(shared: Shared) -> None:
    """Two gates over one record: two actions go in all, whichever is asked."""
    gates = [shared.gate(), shared.gate()]
    answers = [gates[n % 2].ask(shared.gated.action("label-mail", {"label": "a"}).bytes) for n in range(4)]
    assert [answer.verdict for answer in answers] == ["permit", "permit", "deny", "deny"]
    assert [answer.receipt for answer in answers] == [1, 2, 3, 4], "after the one that the home had before"


def test_an_action_goes_once_whichever_gate_is_asked(shared: Shared) -> None:
    """The same bytes at two gates: the second one denies, and says when they went."""
    one, two, action = shared.gate(), shared.gate(), shared.gated.action().bytes
    assert one.ask(action).verdict == "permit"
    again = two.ask(action)
    assert again.verdict == "deny" and "was let go at" in again.reasons[0]


def test_an_approval_taken_by_one_gate_releases_at_another_once(shared: Shared) -> None:
    """Held at one, approved at the second, released by the third; nobody releases it again, nobody counts it again."""
    one, two, three = shared.gate(), shared.gate(), shared.gate()
    hold = one.ask(shared.gated.action("slew-camera", SLEW).bytes).hold
    assert hold is not None and two.holds()[0].id == hold
    envelope = shared.gated.approval(hold, "ALFA")
    assert two.approve(envelope).event == "approved"
    with pytest.raises(TakenBefore, match="taken before"):
        three.approve(envelope)
    assert three.release(hold).verdict == "permit"
    for gate in (one, two, three):
        with pytest.raises(NoSuchHold, match="was released"):
            gate.release(hold)


def test_a_stop_that_one_gate_met_closes_all(shared: Shared) -> None:
    """Also where its file lies in another home: the receipt names it, and its envelope comes with it (I9).

    Fails when what other processes met is not taken in.
    """
    one, two = shared.gate(), shared.gate()
    assert two.ask(shared.gated.action().bytes).verdict == "permit"
    stop = shared.gated.sign("ALFA", "stop", (ALL,), {"reason": "drill"}, "commander")
    one.stop(stop)
    for loose in (shared.gated.folder / "ALFA" / "loose").glob("*.json"):
        loose.unlink()  # as in a home on another machine
    answer = two.ask(shared.gated.action().bytes)
    assert answer.verdict == "deny" and "stop of everything by ALFA" in answer.reasons[0]


def test_without_the_database_all_is_denied_and_then_it_goes_on(shared: Shared) -> None:
    """I5: the reason is said, nothing is let go, and no receipt is lost or doubled when it is back."""
    one, two = shared.gate(), shared.gate()
    assert one.ask(shared.gated.action().bytes).verdict == "permit"
    shared.server.stop()
    try:
        for gate in (one, two):
            answer = gate.ask(shared.gated.action().bytes)
            assert answer.verdict == "deny" and answer.action_bytes is None
            assert "the database does not take it" in answer.reasons[0]
    finally:
        shared.server.start()
    time.sleep(SHARED_PAUSE_S)
    for gate in (one, two):
        assert gate.ask(shared.gated.action().bytes).verdict == "permit"
    assert [receipt["event"] for receipt in shared.receipts()] == ["permitted"] * 4


def test_a_server_that_does_not_sync_is_refused(shared: Shared) -> None:
    """I3: a receipt that only the server's memory has is no receipt. Fails when its settings are not asked for."""
    gate, options = shared.gate(), shared.server.options
    shared.server.stop()
    shared.server.options = "-F"
    shared.server.start()
    try:
        time.sleep(SHARED_PAUSE_S)
        answer = gate.ask(shared.gated.action().bytes)
        assert answer.verdict == "deny", "refused"
        time.sleep(SHARED_PAUSE_S)
        answer = gate.ask(shared.gated.action().bytes)
        assert "does not keep what it acknowledges" in answer.reasons[0]
    finally:
        shared.server.stop()
        shared.server.options = options
        shared.server.start()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE watchword_receipts SET salted = salted || 'x' WHERE place = 1",
        "DELETE FROM watchword_receipts WHERE place = 1",
        "UPDATE watchword_receipts SET (salted, chain) = "
        "(SELECT salted, chain FROM watchword_receipts WHERE place = 0) WHERE place = 1",
        "INSERT INTO watchword_receipts SELECT gate, 3, salted, chain FROM watchword_receipts WHERE place = 2; "
        "UPDATE watchword_gate SET size = 4",
        "UPDATE watchword_gate SET size = 2, chain = (SELECT chain FROM watchword_receipts WHERE place = 1)",
    ],
    ids=["changed", "gone", "repeated", "added", "put back"],
)
def test_what_was_done_to_the_database_is_seen(shared: Shared, statement: str) -> None:
    """A gate that began before, and one that begins after the home has followed: neither decides on it.

    Fails when the chain is not compared.
    """
    before = shared.gate()
    for _ in range(2):
        assert before.ask(shared.gated.action().bytes).verdict == "permit"
    sharing.follow(shared.writer)
    for one in statement.split("; "):
        sql(shared, one)
    with pytest.raises(PutBack):
        shared.gate()
    if "SET size" in statement:
        assert before.ask(shared.gated.action().bytes).verdict == "deny"


def test_the_home_follows_and_its_record_is_whole(shared: Shared) -> None:
    """What several gates recorded is in the private record, anchored; approvals are in the ledger; all verifies."""
    one, two = shared.gate(), shared.gate()
    hold = one.ask(shared.gated.action("slew-camera", SLEW).bytes).hold
    assert hold is not None
    two.approve(shared.gated.approval(hold, "ALFA"))
    one.release(hold)
    here = shared.writer
    anchored = here.anchor_record()
    assert anchored is not None and here.locate(anchored.id).signed.statement.predicate["size"] == 4
    assert [receipt["event"] for receipt in here.record_events()] == ["permitted", "held", "approved", "released"]
    (approval,) = here.record_events()[2]["approvals"]
    assert here.locate(approval).origin == here.me.origins["ledger"]
    here.publish()
    assert "alfa.example/record: 4 leaves lead to the head, 4 bodies match" in here.check()
    assert here.anchor_record() is None, "nothing new"


def test_a_home_that_shares_takes_no_receipt_of_its_own(shared: Shared) -> None:
    """A gate that was opened before its record was shared decides nothing more. Fails when ``append`` does not look."""
    with pytest.raises(StorageTrouble, match="is shared"):
        shared.writer.append_record([{"event": "denied"}])


def test_sharing_ends_and_begins_again(shared: Shared) -> None:
    """What was decided in the meantime is the home's; the gates that shared it are refused; it can be shared again."""
    one = shared.gate()
    assert one.ask(shared.gated.action("label-mail", {"label": "a"}).bytes).verdict == "permit"
    assert sharing.unshare(shared.writer) == 2
    answer = one.ask(shared.gated.action().bytes)
    assert answer.verdict == "deny" and "not shared there any more" in answer.reasons[0]
    alone = Gate(shared.writer)
    quota = [alone.ask(shared.gated.action("label-mail", {"label": "a"}).bytes).verdict for _ in range(2)]
    assert quota == ["permit", "deny"]
    shared.begin()
    assert shared.gate().ask(shared.gated.action("label-mail", {"label": "b"}).bytes).verdict == "deny"
    with pytest.raises(NotShared, match="already"):
        sharing.share(shared.writer, shared.url)


def test_a_record_is_not_joined_to_another_one(shared: Shared, tmp_path: Path) -> None:
    """A database that holds this gate's other history is refused: two homes would otherwise decide on a mixture."""
    other = Shared(tmp_path, shared.server)
    try:
        other.gated.ask()
        with pytest.raises(NotShared, match="not the first of this home's"):
            sharing.share(other.writer, shared.url)
    finally:
        other.close()


def test_a_reader_without_a_shared_record_is_no_gate(shared: Shared) -> None:
    """Deciding needs the node's lock or a shared record."""
    sharing.unshare(shared.writer)
    with (
        Node.open(shared.gated.folder / "ALFA", clock=shared.gated.clock, writing=False) as reader,
        pytest.raises(NoSuchHold, match="opened for writing"),
    ):
        Gate(reader)
