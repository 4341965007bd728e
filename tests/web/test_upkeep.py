"""A disk that rots, a check that is cut short, a member who must be woken."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection

from watchword.ledger import check
from watchword.ledger.check import BadBody
from watchword.ledger.tiles import BadLedger, BadTile
from watchword.node import Node
from watchword.node.checking import checked
from watchword.node.monitoring import monitor
from watchword.node.recorded import Retired
from watchword.node.repairing import repair
from watchword.node.sync import sync
from watchword.node.witnessing import ask_witnesses

Served = Callable[[str], str]
DAY = 86_400


def grow(node: Node, count: int) -> None:
    log = node.store.own("ledger")
    log.append([b"\x01" + sha256(b"%d" % number).digest() for number in range(log.size, log.size + count)])
    node.publish()


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# -- check ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "at", "index"),
    [
        ("tile/entries/001", 35 * 3 + 9, 256 + 3),
        ("tile/entries/002.p/188", 35 * 187 + 9, 512 + 187),
        ("tile/0/001", 32 * 200, 256 + 200),
        ("tile/0/000", 0, 0),
        ("tile/1/000.p/2", 3, None),
        ("tile/1/000.p/2", 40, None),
    ],
)
@pytest.mark.parametrize("part", [1, 256], ids=["in parts by two processes", "at once"])
def test_the_first_bad_index_is_named(
    alliance: Alliance, monkeypatch: pytest.MonkeyPatch, name: str, at: int, index: int | None, part: int
) -> None:
    """One flipped bit anywhere in entries or tiles is found, and where. Fails for each comparison that is removed."""
    monkeypatch.setattr(check, "CHECK_PART_BUNDLES", part)
    grow(alliance.nodes["ALFA"], 700)
    log = alliance.nodes["ALFA"].store.own("ledger")
    log.check()
    flip(log.folder / name, at)
    with pytest.raises(BadLedger) as caught:
        log.check()
    assert caught.value.index == index
    if index is None:
        assert isinstance(caught.value, BadTile) or "root" in caught.value.message


def test_a_check_that_was_cut_short_goes_on(alliance: Alliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interrupted run has checked is not read again within a day; a whole run remembers nothing."""
    monkeypatch.setattr(check, "CHECK_PART_BUNDLES", 1)
    monkeypatch.setattr(check, "shared", map)
    alfa = alliance.nodes["ALFA"]
    grow(alfa, 256 * 6)
    real, seen = check.check_bundles, []

    def counted(*given, **named):
        seen.append(given[2].start)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return real(*given, **named)

    monkeypatch.setattr(check, "check_bundles", counted)
    with pytest.raises(KeyboardInterrupt):
        checked(alfa.store, "alfa.example/ledger")
    assert seen == [0, 1, 2, 3]
    line = checked(alfa.store, "alfa.example/ledger")
    assert seen[4:] == [3, 4, 5]
    assert line == "alfa.example/ledger: 1,536 leaves lead to the head, 0 bodies match, 1,536 not held"
    checked(alfa.store, "alfa.example/ledger")
    assert seen[7:] == [0, 1, 2, 3, 4, 5]


def test_a_body_that_its_key_did_not_sign_is_named(alliance: Alliance) -> None:
    """A body that matches its leaf and carries a spoiled signature is found by ``signatures``, and only by that."""
    alfa = alliance.nodes["ALFA"]
    said = alfa.sign_and_append("inspection", (RELEASE,), inspection())
    value = json.loads(said.envelope)
    signature = value["signatures"][0]["sig"]
    value["signatures"][0]["sig"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    forged = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    alfa.store.own("ledger").append([b"\x01" + alfa.bodies.put(forged)])
    alfa.publish()
    assert "2 bodies match" in alfa.check()[0]
    with pytest.raises(BadBody, match="leaf 1"):
        alfa.check(signatures=True)


# -- repair ---------------------------------------------------------------------------------------


def test_what_a_mirror_holds_is_restored(alliance: Alliance, served: Served) -> None:
    """Tiles, bundles, bodies and the checkpoint, flipped or gone, come back from BRAVO; then ALFA opens and goes on."""
    alfa = alliance.nodes["ALFA"]
    said = [alfa.sign_and_append("inspection", (RELEASE,), inspection(tool=f"tool {n}")) for n in range(2)]
    grow(alfa, 600)
    sync(alliance.nodes["BRAVO"], {"ALFA": served("ALFA")})
    folder = alfa.store.folder("alfa.example/ledger")
    leaves = alfa.store.leaves("alfa.example/ledger")
    alfa.close()
    flip(folder / "tile/entries/001", 100)
    (folder / "tile/0/000").unlink()
    flip(folder / "tile/1/000.p/2", 40)
    (folder / "checkpoint").write_bytes(b"rot")
    bodies = alliance.home("ALFA") / "bodies" / "sha256"
    flip(bodies / leaves[0].commitment.hex(), 40)
    (bodies / leaves[1].commitment.hex()).unlink()
    with Node.open(alliance.home("ALFA"), clock=alliance.clock, writing=True) as broken:
        repaired = {one.origin: one for one in repair(broken, {"BRAVO": served("BRAVO")})}
    assert repaired["alfa.example/ledger"].told() == (
        "alfa.example/ledger: 6 files and 2 bodies restored from BRAVO"
    )
    whole = alliance.reopen("ALFA")
    assert "602 leaves lead to the head, 2 bodies match" in whole.check()[0]
    assert [whole.locate(one.id).locator for one in said] == ["ALFA#0", "ALFA#1"]
    grow(whole, 1)


def test_a_relay_cannot_slip_anything_into_a_repair(alliance: Alliance, served: Served) -> None:
    """BRAVO's mirror is damaged at the same place: it is not taken. Fails if bundles are not held to the head."""
    grow(alliance.nodes["ALFA"], 600)
    sync(alliance.nodes["BRAVO"], {"ALFA": served("ALFA")})
    for name in ("ALFA", "BRAVO"):
        flip(alliance.nodes[name].store.folder("alfa.example/ledger") / "tile/entries/001", 100)
    repaired = {one.origin: one for one in repair(alliance.reopen("ALFA"), {"BRAVO": served("BRAVO")})}
    assert "does not fit under the signed head" in repaired["alfa.example/ledger"].trouble


def test_a_lost_head_store_stays_lost(alliance: Alliance, served: Served) -> None:
    """Without the last head of a ledger nothing is restored under its origin: it could be a fork."""
    alfa = alliance.nodes["ALFA"]
    sync(alliance.nodes["BRAVO"], {"ALFA": served("ALFA")})
    (alliance.home("ALFA") / "heads" / sha256(b"alfa.example/ledger").hexdigest()).unlink()
    assert "alfa.example/ledger" not in [one.origin for one in repair(alfa, {"BRAVO": served("BRAVO")})]


# -- monitor --------------------------------------------------------------------------------------


def raised(alliance: Alliance, name: str = "ALFA", within_s: int = DAY, **peers: str) -> list[tuple[str, str]]:
    return [(alarm.id, alarm.what) for alarm in monitor(alliance.nodes[name], peers, within_s)]


def test_silence_and_missing_witnesses_are_raised(alliance: Alliance, served: Served) -> None:
    """Nothing, once everybody has talked; after a day without a word, every ledger and every witness."""
    assert ("silence", "bravo.example/ledger") in raised(alliance)
    assert ("witness", "charlie.example/witness") in raised(alliance)
    for _ in range(2):
        for name in ("ALFA", "BRAVO", "CHARLIE"):
            others = {"ALFA", "BRAVO", "CHARLIE"} - {name}
            sync(alliance.nodes[name], {other: served(other) for other in sorted(others)})
    assert raised(alliance) == []
    alliance.clock.advance(DAY + 1)
    found = raised(alliance)
    assert [what for id, what in found if id == "silence"] == list(alliance.charter_file.charter.shared_origins)
    assert len([id for id, _ in found if id == "witness"]) == 6


def test_our_key_in_a_foreign_ledger_is_raised_until_somebody_looked(alliance: Alliance, served: Served) -> None:
    """A statement under ALFA's key that only BRAVO published; once accepted, the next one is raised again."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    for count in (1, 2):
        stolen = alfa.sign("inspection", (RELEASE,), inspection(tool=f"tool {count}"))
        bravo.append_envelope(stolen.envelope)
        bravo.publish()
        sync(alfa, {"BRAVO": served("BRAVO")})
        assert [what for id, what in raised(alliance) if id == "own-key"] == [stolen.statement.id]
        monitor(alfa, {}, DAY, accept=True)
        assert "own-key" not in dict(raised(alliance))


def test_a_node_put_back_to_an_older_state_is_raised_and_its_heads_kept(alliance: Alliance, served: Served) -> None:
    """BRAVO cosigned what ALFA's restored disk has not: raised, and ALFA signs nothing under that origin again.

    Fails if ``retired`` is not asked before an append, a head, or an anchor.
    """
    alfa, url = alliance.nodes["ALFA"], served("BRAVO")
    grow(alfa, 2)
    old = {path: path.read_bytes() for path in alliance.home("ALFA").rglob("*") if path.is_file()}
    grow(alfa, 3)
    assert not any(one.trouble for one in ask_witnesses(alfa, {"BRAVO": url}))
    alfa.close()
    for path in [path for path in alliance.home("ALFA").rglob("*") if path.is_file()]:
        path.write_bytes(old[path]) if path in old else path.unlink()
    alliance.reopen("ALFA")
    assert ("own-head", "alfa.example/ledger") in raised(alliance, BRAVO=url)
    alfa = alliance.nodes["ALFA"]
    assert ("fork", alfa.store.splits()[0].name) in raised(alliance)
    # It signs no second history: not a leaf more, not a head, also not after a restart; the rest goes on.
    before = alfa.store.own("ledger").checkpoint()
    with pytest.raises(Retired, match="takes nothing more"):
        alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alfa = alliance.reopen("ALFA")
    alfa.append_record([{"event": "denied"}])
    assert alfa.anchor_record() is None
    alfa.publish()
    assert alfa.store.own("ledger").checkpoint() == before
    alliance.recall("ALFA", f"release:{RELEASE.digest}")
    (brought,) = sync(alfa, {"BRAVO": url})
    assert brought.troubles == []


def test_a_peer_that_does_not_answer_is_raised(alliance: Alliance) -> None:
    """By name."""
    assert ("peer", "BRAVO") in raised(alliance, BRAVO="http://127.0.0.1:9/")
