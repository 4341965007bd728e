"""A node is looked at: each thing that is broken is named with what mends it, and hides no other."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection

from watchword import node
from watchword.node.examining import Found, examine
from watchword.node.people import note
from watchword.statements.canonical import canonical
from watchword.statements.times import FixedClock


def ill(alliance: Alliance, name: str, **peers: str) -> dict[str, Found]:
    if name in alliance.nodes:
        alliance.nodes.pop(name).close()
    found = examine(alliance.home(name), peers, alliance.clock)
    return {one.about: one for one in found if one.state == "ill"}


def test_a_node_that_is_well_has_nothing_ill(alliance: Alliance) -> None:
    """After an exchange all is well, but for keys in plain files, which somebody should know of."""
    assert ill(alliance, "BRAVO") == {}


def test_two_things_broken_are_both_named(alliance: Alliance) -> None:
    """A damaged checkpoint does not hide a key that everybody can read."""
    home = alliance.home("BRAVO")
    alliance.nodes.pop("BRAVO").close()
    (home / "keys" / "gate.pem").chmod(0o644)
    (home / "ledger" / "checkpoint").write_bytes(b"nonsense\n")
    found = ill(alliance, "BRAVO")
    assert "chmod" in found["keys"].mend and "gate.pem" in found["keys"].what
    assert {"ledgers", "node"} & found.keys()


def test_old_heads_are_ill(alliance: Alliance) -> None:
    """A day after the last cosignature no decision may rest on a head, and the node says so."""
    alliance.clock = FixedClock(alliance.clock.now() + timedelta(days=400))
    assert "no decision may rest on it" in ill(alliance, "BRAVO")["heads"].what


def test_a_clock_that_is_behind_is_ill(alliance: Alliance) -> None:
    """Others cosigned at times that lie ahead of this clock."""
    alliance.clock = FixedClock(alliance.clock.now() - timedelta(days=1))
    found = ill(alliance, "BRAVO")
    assert "clock" in found, found.keys()


def test_a_clock_that_was_ahead_silences_a_witness_and_nothing_else(alliance: Alliance) -> None:
    """A node that cosigned a quarter of an hour from now records, publishes and takes in bad news; doctor says that its
    witness waits. Seen to fail while publishing raised."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    alliance.clock.jump(900)
    bravo.publish(refresh=True)
    alliance.clock.jump(-900)
    said = bravo.sign_and_append("inspection", (RELEASE,), inspection())
    bravo.publish()
    assert bravo.labels(said)[:2] == ("durable", "in tree")
    recall = alliance.recall("ALFA", f"release:{RELEASE.digest}")
    alfa.publish()
    alliance.carry("ALFA", "BRAVO")
    assert recall.id in {one.statement.id for one in bravo.loose()} | {one.statement.id for one in bravo.statements()}
    assert "witness cosigns nothing" in ill(alliance, "BRAVO")["clock"].mend


def test_a_disk_that_is_nearly_full_is_ill(alliance: Alliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that cannot write its receipt denies: said before it comes to that."""
    monkeypatch.setattr("watchword.node.examining.DISK_FREE_BYTES_MIN", 2**62)
    assert "denies" in ill(alliance, "BRAVO")["disk"].mend


def test_a_restored_and_a_moved_node_say_what_they_are(alliance: Alliance, tmp_path: Path) -> None:
    """The one signs nothing under its old ledgers, the other is a folder to be destroyed."""
    alliance.nodes.pop("BRAVO").close()
    node.back_up(alliance.home("BRAVO"), tmp_path / "a.tar", alliance.clock)
    node.restore(tmp_path / "a.tar", alliance.folder / "AGAIN")
    assert "put back from a copy" in ill(alliance, "AGAIN")["charter"].what
    node.back_up(alliance.home("BRAVO"), tmp_path / "b.tar", alliance.clock, move=True)
    assert "destroy this folder" in ill(alliance, "BRAVO")["charter"].mend


def test_a_peer_that_does_not_answer_is_ill(alliance: Alliance) -> None:
    """It is named with its address; nothing else is said to be wrong."""
    found = ill(alliance, "BRAVO", ALFA="http://127.0.0.1:9/")
    assert found.keys() == {"peer ALFA"}
    assert "127.0.0.1:9" in found["peer ALFA"].what


def test_a_name_that_is_kept_too_long_is_told(alliance: Alliance) -> None:
    """Without a rule, under it, and past it; nothing where no name is kept."""
    home = alliance.home("BRAVO")
    alliance.nodes.pop("BRAVO").close()

    def said() -> list[tuple[str, str]]:
        found = examine(home, {}, alliance.clock)
        return [(one.state, one.mend) for one in found if one.about == "people"]

    assert said() == []
    note(home, "commander", "Kim Quillfeather", "", alliance.clock)
    assert said() == [("look", "[retention] people_days = N in node.toml")]
    with (home / "node.toml").open("a") as file:
        file.write("\n[retention]\npeople_days = 30\n")
    assert said() == [("well", "")]
    enrolment = json.loads((home / "enrolment.json").read_bytes())
    for key in enrolment["keys"]:
        if key.get("person") == "commander":
            key["retired"] = {"sizes": [], "version": 2}
    (home / "charter.json").unlink()  # under which that key is in force
    (home / "enrolment.json").write_bytes(canonical(enrolment))
    alliance.clock = FixedClock(alliance.clock.now() + timedelta(days=31))
    assert said() == [("look", "watchword retention erase --due")]
