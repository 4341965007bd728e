"""What a member gets from its peers over HTTP, and what it does not let them do."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection
from starlette.exceptions import HTTPException

from watchword.charter import standing as standing_module
from watchword.cli import main
from watchword.ledger import durable, leaves
from watchword.ledger import pull as pull_module
from watchword.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_head
from watchword.ledger.equivocation import verify_equivocation
from watchword.ledger.merkle import leaf_hash, root_of
from watchword.node import Node, NotHere, answering
from watchword.node import sync as sync_module
from watchword.node.repairing import repair
from watchword.node.spilling import spill
from watchword.node.sync import sync
from watchword.node.witnessing import ask_witnesses
from watchword.statements.canonical import canonical

Served = Callable[[str], str]


def peers(served: Served, *names: str) -> dict[str, str]:
    return {name: served(name) for name in names}


def test_a_statement_reaches_everyone_and_is_cosigned_by_all(alliance: Alliance, served: Served) -> None:
    """Append, have it cosigned, sync: leaf, body and quorum are everywhere."""
    said = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    asked = ask_witnesses(alliance.nodes["ALFA"], peers(served, "BRAVO", "CHARLIE"))
    assert [one.told() for one in asked if one.trouble or one.fork] == []
    assert alliance.nodes["ALFA"].labels(said) == ("durable", "in tree", "witnessed 3 of 3")
    for name in ("BRAVO", "CHARLIE"):
        (brought,) = sync(alliance.nodes[name], peers(served, "ALFA"))
        assert (brought.troubles, brought.forks) == ([], [])
        assert alliance.nodes[name].locate(said.id).locator == "ALFA#0"
        assert alliance.nodes[name].latest_view().heads["alfa.example/ledger"].size == 1


def test_a_sync_without_news_asks_only_for_heads(alliance: Alliance, served: Served) -> None:
    """What both hold is not sent again: conditional requests, by equal bytes and not by memory."""
    for _ in range(2):
        for name in ("ALFA", "BRAVO", "CHARLIE"):
            sync(alliance.nodes[name], peers(served, *({"ALFA", "BRAVO", "CHARLIE"} - {name})))
    (brought,) = sync(alliance.nodes["ALFA"], peers(served, "BRAVO"))
    assert (brought.requests, brought.ledgers, brought.bodies) == (2, [], 0)
    # All heads unchanged (304, empty) and one answer without bodies.
    assert brought.bytes < 600


@pytest.mark.parametrize(("list_of_tags", "bodies", "troubles"), [(None, 1, 0), (b"[]", 0, 1), (b'{"tags":{}}', 0, 1)])
def test_a_peer_with_no_list_of_tags_is_asked_for_all_heads(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch,
    list_of_tags: bytes | None, bodies: int, troubles: int,
) -> None:  # fmt: skip
    """It may not know the list (404); one of another form costs that peer's share and is told, not believed."""

    def tags(_: object) -> bytes:
        if list_of_tags is None:
            raise HTTPException(404)
        return list_of_tags

    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes["ALFA"].publish()
    monkeypatch.setattr("watchword.web.ledgers.head_tags", tags)
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert (brought.bodies, len(brought.troubles)) == (bodies, troubles)


def test_a_silent_peer_keeps_nobody_from_the_node(alliance: Alliance) -> None:
    """While the command waits for a machine that takes a connection and says nothing, others write the node. Seen to
    fail while it was waited for with the node in hand."""
    alliance.nodes.pop("ALFA").close()
    home = alliance.home("ALFA")
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.settimeout(60)
        peer = f"BRAVO=http://127.0.0.1:{bound.getsockname()[1]}/"
        command = [sys.executable, "-m", "watchword", "ledger", "sync", peer, "--home", str(home)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as asking:
            connection, _ = bound.accept()
            with connection, Node.open(home, clock=alliance.clock, writing=True) as here:
                assert asking.poll() is None
                here.publish()
            assert "no peer could be asked" in asking.communicate(timeout=60)[1]


def test_a_mirror_is_served_onward(alliance: Alliance, served: Served) -> None:
    """CHARLIE gets ALFA's ledger and body from BRAVO alone, and believes ALFA's signature, not BRAVO."""
    said = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes["ALFA"].publish()
    sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    (brought,) = sync(alliance.nodes["CHARLIE"], peers(served, "BRAVO"))
    assert (brought.troubles, brought.bodies) == ([], 1)
    assert alliance.nodes["CHARLIE"].locate(said.id).locator == "ALFA#0"


def test_a_body_goes_only_where_its_scope_allows(alliance: Alliance, served: Served) -> None:
    """For BRAVO alone: CHARLIE learns that a leaf is there, from ALFA and from BRAVO, and no more (I10).

    Fails if ``scope_allows`` is not asked, or if the member named in a request is believed unsigned.
    """
    said = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(), scope=["BRAVO"])
    alliance.nodes["ALFA"].publish()
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert brought.bodies == 1
    for brought in sync(alliance.nodes["CHARLIE"], peers(served, "ALFA", "BRAVO")):
        assert (brought.troubles, brought.bodies) == ([], 0)
    with pytest.raises(NotHere):
        alliance.nodes["CHARLIE"].locate(said.id)
    assert len(alliance.nodes["CHARLIE"].store.leaves("alfa.example/ledger")) == 1


def test_attachments_come_with_their_statement(alliance: Alliance, served: Served) -> None:
    """A report is a body of its own, and is taken only because a statement names it."""
    alfa = alliance.nodes["ALFA"]
    fields = inspection() | {"report": alfa.attach("report.html", "text/html", b"<p>nothing found</p>")}
    alfa.sign_and_append("inspection", (RELEASE,), fields)
    alfa.publish()
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert brought.bodies == 2
    commitment = bytes.fromhex(fields["report"]["commitment"].removeprefix("sha256:"))
    assert alliance.nodes["BRAVO"].bodies.get(commitment)[1] == b"<p>nothing found</p>"


def test_bad_news_comes_before_any_quorum(alliance: Alliance, served: Served) -> None:
    """A recall held loose by BRAVO counts at CHARLIE as soon as they have talked."""
    alliance.recall("ALFA", f"release:{RELEASE.digest}")
    envelope = next(iter(alliance.nodes["ALFA"].loose())).envelope
    alliance.nodes["BRAVO"].take_loose(envelope)
    (brought,) = sync(alliance.nodes["CHARLIE"], peers(served, "BRAVO"))
    assert brought.loose == 1
    assert [one.statement.kind for one in alliance.nodes["CHARLIE"].loose()] == ["recall"]
    assert sync(alliance.nodes["CHARLIE"], peers(served, "BRAVO"))[0].loose == 0


def test_more_bodies_than_one_answer_holds_come_in_several(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded answers, and everything arrives."""
    monkeypatch.setattr(sync_module, "BODIES_ASKED_MAX", 3)
    monkeypatch.setattr(answering, "BODIES_ANSWERED_BYTES_MAX", 6_000)
    for _ in range(7):
        alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes["ALFA"].publish()
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert brought.bodies == 7
    assert brought.requests > 1 + 1 + 1 + 3  # the list, heads, a bundle, and more than three answers of bodies


def test_what_was_not_given_is_asked_for_again_only_on_demand(alliance: Alliance, served: Served) -> None:
    """A refusal is remembered; ``all_bodies`` asks once more."""
    alfa = alliance.nodes["ALFA"]
    said = alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alfa.publish()
    index = alfa.store.leaves("alfa.example/ledger")[0].commitment
    kept = alfa.bodies.get(index)
    alfa.bodies.purge(index)
    assert sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))[0].bodies == 0
    alfa.bodies.put(kept[1], kept[0])
    assert sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))[0].bodies == 0
    assert sync(alliance.nodes["BRAVO"], peers(served, "ALFA"), all_bodies=True)[0].bodies == 1
    assert alliance.nodes["BRAVO"].locate(said.id)


# -- peers that lie -------------------------------------------------------------------------------


def grow(node: Node, count: int) -> None:
    """Leaves without bodies, published: what a large ledger looks like to a mirror."""
    log = node.store.own("ledger")
    log.append([b"\x01" + sha256(b"%d" % number).digest() for number in range(log.size, log.size + count)])
    node.publish()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("together_max", [10_000, 100], ids=["together", "tile by tile"])
def test_a_large_ledger_is_pulled_by_parts_or_whole(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch, together_max: int
) -> None:
    """Both ways end in the same tree, which stands its full check, at sizes around whole tiles."""
    monkeypatch.setattr(sync_module, "PULL_TOGETHER_MAX", together_max)
    for count in (700, 68, 256, 1):
        grow(alliance.nodes["ALFA"], count)
        (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
        assert (brought.troubles, len(brought.ledgers)) == ([], 1)
        mirror = alliance.nodes["BRAVO"].store.log("alfa.example/ledger")
        mirror.check()
        size = mirror.published_size
        assert mirror.root(size) == alliance.nodes["ALFA"].store.own("ledger").root(size)


def test_two_processes_share_a_long_pull(alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tree again."""
    monkeypatch.setattr(sync_module, "PULL_TOGETHER_MAX", 100)
    monkeypatch.setattr(pull_module, "PULL_WORKERS_MIN", 4)
    grow(alliance.nodes["ALFA"], 1_500)
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert brought.troubles == []
    alliance.nodes["BRAVO"].store.log("alfa.example/ledger").check()


@pytest.mark.parametrize("together_max", [10_000, 100], ids=["together", "tile by tile"])
@pytest.mark.parametrize("name", ["tile/entries/001", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_bad_file_of_a_relay_convicts_nobody_and_costs_one_peer(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch, together_max: int, name: str
) -> None:
    """BRAVO serves ALFA's ledger damaged: CHARLIE names it, keeps no split, and gets it from ALFA in the same run.

    Fails if bundles, or tiles, are not held against the head.
    """
    monkeypatch.setattr(sync_module, "PULL_TOGETHER_MAX", together_max)
    grow(alliance.nodes["ALFA"], 700)
    sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    flip(alliance.nodes["BRAVO"].store.folder("alfa.example/ledger") / name)
    charlie = alliance.nodes["CHARLIE"]
    first, second = sync(charlie, peers(served, "BRAVO", "ALFA"))
    needed = "entries" in name or together_max == 100
    assert bool(first.troubles) == needed
    assert (first.forks, second.forks, second.troubles, charlie.store.splits()) == ([], [], [], [])
    charlie.store.log("alfa.example/ledger").check()


def test_a_pull_that_was_cut_short_goes_on(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was verified before a bad bundle is not fetched again from the next peer."""
    monkeypatch.setattr(sync_module, "PULL_TOGETHER_MAX", 100)
    monkeypatch.setattr(durable, "FILES_AT_ONCE", 4)
    grow(alliance.nodes["ALFA"], 256 * 20)
    sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    flip(alliance.nodes["BRAVO"].store.folder("alfa.example/ledger") / "tile/entries/018")
    cut, whole = sync(alliance.nodes["CHARLIE"], peers(served, "BRAVO", "ALFA"))
    assert cut.troubles and not whole.troubles
    assert whole.requests < 20
    alliance.nodes["CHARLIE"].store.log("alfa.example/ledger").check()


def forked(alliance: Alliance, size: int) -> tuple[list[bytes], bytes]:
    """A head of ALFA at *size*, signed by ALFA, over another tree than its ledger's, with that tree on ALFA's disk."""
    key = alliance.nodes["ALFA"].keys.job("ledger")
    leaves = [b"\x01" + sha256(b"other %d" % number).digest() for number in range(size)]
    origin = "alfa.example/ledger"
    return leaves, sign_checkpoint(Checkpoint(origin, size, root_of([leaf_hash(one) for one in leaves])), key)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_a_fork_is_kept_with_both_signed_heads_and_stops_nothing_else(
    alliance: Alliance, served: Served, size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALFA shows CHARLIE another history than BRAVO: when both meet, both heads are kept, other ledgers come (I6)."""
    grow(alliance.nodes["ALFA"], 4)
    sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    leaves, note = forked(alliance, size)
    charlie = alliance.nodes["CHARLIE"]
    charlie.store.mirror("alfa.example/ledger").extend_mirror(0, leaves, note)
    charlie.store.take_notes("alfa.example/ledger", [note])
    grow(alliance.nodes["BRAVO"], 2)
    (brought,) = sync(charlie, peers(served, "BRAVO"))
    assert [fork.origin for fork in brought.forks] == ["alfa.example/ledger"]
    key = alliance.charter_file.charter.origins["alfa.example/ledger"].key
    (folder,) = charlie.store.splits()
    kept = {verify_head((folder / name).read_bytes(), "alfa.example/ledger", key).root for name in ("ours", "theirs")}
    assert len(kept) == 2
    # What CHARLIE states convicts ALFA before anybody who has the charter.
    (stated,) = [one.statement for one in charlie.statements() if one.statement.kind == "equivocation"]
    assert (stated.issuer, stated.body.origin) == ("CHARLIE", "alfa.example/ledger")
    sizes = [head.size for head in verify_equivocation(stated.body, key)]
    assert sizes == sorted([size, 4])
    signed = next(one for one in charlie.statements() if one.statement.kind == "equivocation")
    (tmp_path / "fork.json").write_bytes(signed.envelope + b"\n")
    charter = str(alliance.home("CHARLIE") / "charter.json")
    assert main(["ledger", "verify", charter, str(tmp_path / "fork.json")]) == 0
    assert capsys.readouterr().out.startswith("CONVICTED  alfa.example/ledger of ALFA: its key signed two histories")
    # With one history in place of the other it convicts nobody.
    value = json.loads(signed.envelope)
    payload = json.loads(base64.b64decode(value["payload"]))
    payload["predicate"]["heads"][1] = payload["predicate"]["heads"][0]
    value["payload"] = base64.b64encode(canonical(payload)).decode()
    (tmp_path / "fork.json").write_bytes(canonical(value))
    assert main(["ledger", "verify", charter, str(tmp_path / "fork.json")]) == 1
    assert capsys.readouterr().out.startswith("REFUSED  heads of alfa.example/ledger")
    assert [one.origin for one in brought.ledgers if one.new == 2] == ["bravo.example/ledger"]


def test_an_answer_of_somebody_else_is_refused(alliance: Alliance, served: Served) -> None:
    """An address that is not the member's who is asked: nothing of its answer is used."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes["ALFA"].publish()
    (brought,) = sync(alliance.nodes["CHARLIE"], {"BRAVO": served("ALFA")})
    assert brought.bodies == 0
    assert [what for what, _ in brought.troubles] == ["BRAVO"]


def test_a_spill_is_honoured_by_those_who_only_sync(alliance: Alliance, served: Served) -> None:
    """The body goes at the next sync, and is not taken again from one who has not heard, nor by a repair.

    Seen to fail without ``honour`` in the sync, and without the look at what was spilled before a body is taken.
    """
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    said = alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alfa.publish()
    for name in ("BRAVO", "CHARLIE"):
        sync(alliance.nodes[name], peers(served, "ALFA"))
    leaf = alfa.store.leaves("alfa.example/ledger")[0].commitment
    spill(alfa, said.id, "a name was in it")
    alfa.publish()
    sync(bravo, peers(served, "ALFA"))
    assert (alfa.bodies.holds(leaf), bravo.bodies.holds(leaf)) == (False, False)
    assert alliance.nodes["CHARLIE"].bodies.holds(leaf)
    (brought,) = sync(bravo, peers(served, "CHARLIE"), all_bodies=True)
    assert (brought.troubles, bravo.bodies.holds(leaf)) == ([], False)
    repair(alfa, peers(served, "CHARLIE"))
    assert not alfa.bodies.holds(leaf)


@pytest.mark.parametrize("shared_from", [1, 1_000])
def test_a_signature_is_verified_once(
    alliance: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch, shared_from: int
) -> None:
    """By one process or by two; the next command believes the node's own memory of it, and only for what did verify.

    Fails (seen) when everything that came is remembered.
    """
    monkeypatch.setattr(sync_module, "SIGNATURES_SHARED_MIN", shared_from)
    monkeypatch.setattr(sync_module, "SIGNATURES_PART", 2)
    alfa = alliance.nodes["ALFA"]
    for _ in range(3):
        alfa.sign_and_append("inspection", (RELEASE,), inspection())
    envelope = json.loads(alfa.locate("ALFA#0").signed.envelope)
    spoiled = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    spoiled[-1] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(spoiled).decode()
    own = alfa.store.own("ledger")
    leaf = leaves.leaf_of(alfa.locate("ALFA#0").signed.statement, alfa.bodies.put(canonical(envelope)), alfa.secret)
    own.append([leaves.encode("ledger", leaf)])
    alfa.publish()
    (brought,) = sync(alliance.nodes["BRAVO"], peers(served, "ALFA"))
    assert (brought.bodies, brought.troubles) == (4, [])
    alliance.nodes["BRAVO"].close()
    asked = []
    monkeypatch.setattr(standing_module, "verify", lambda signed, _: asked.append(signed))
    with Node.open(alliance.home("BRAVO"), clock=alliance.clock) as again:
        assert len([one for one in again.statements() if one.statement.kind == "inspection"]) == 4
    assert [one.envelope for one in asked if one.statement.kind == "inspection"] == [canonical(envelope)]
