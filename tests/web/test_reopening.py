"""What stands open while one charter follows another: a door goes on under the new one, and who writes is told to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alliance import RELEASE, Alliance, inspection
from successions import adopt, follow

from watchword import node
from watchword.node import home as home_module
from watchword.node.stepping import Superseded
from watchword.node.witnessing import ask_witnesses

Served = Callable[[str], str]
NAMES = ("ALFA", "BRAVO", "CHARLIE")


@pytest.fixture
def soon(alliance: Alliance) -> Alliance:
    """BRAVO has a new witness key, in an hour."""
    node.renew(alliance.home("BRAVO"), None, job="witness")
    coming = node.enrolment(alliance.home("BRAVO"), coming=True)
    adopt(alliance, follow(alliance, [coming], NAMES, effective="2026-01-31T13:00:00Z"), NAMES)
    return alliance


def test_a_door_goes_on_under_the_next_charter(soon: Alliance, served: Served) -> None:
    """Its witness signs with the key that the charter in force lists; fails (seen) where it keeps its first one."""
    soon.nodes["BRAVO"].close()
    url = {"BRAVO": served("BRAVO")}
    assert [one.trouble for one in ask_witnesses(soon.nodes["ALFA"], url)] == ["", ""]
    soon.nodes["ALFA"].close()
    soon.clock.advance(3_600)
    alfa = soon.reopen("ALFA")
    assert alfa.charter.version == 2
    alfa.sign_and_append("inspection", (RELEASE,), inspection())
    assert [one.trouble for one in ask_witnesses(alfa, url)] == ["", ""]
    (head,) = (one for one in alfa.store.kept_heads("alfa.example/ledger") if one.checkpoint.size == 1)
    assert alfa.charter.member("BRAVO").witness in head.times


def test_who_keeps_a_node_open_past_its_charter_is_told(
    soon: Alliance, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more is said or signed under the old one, bad news counts all the same, and the door answers nothing.

    Fails (seen) where the writer is not asked: it would go on for as long as it runs, and block everybody's step.
    """
    monkeypatch.setattr(home_module, "NODE_LOCK_WAIT_S_MAX", 0.05)
    url = {"BRAVO": served("BRAVO")}
    bravo = soon.nodes["BRAVO"]
    bravo.sign_and_append("inspection", (RELEASE,), inspection())
    soon.clock.advance(3_600)
    with pytest.raises(Superseded, match="charter 2 is in force"):
        bravo.sign_and_append("inspection", (RELEASE,), inspection(tool="late"))
    with pytest.raises(Superseded, match="charter 2 is in force"):
        bravo.publish()
    soon.recall("BRAVO", f"release:{RELEASE.digest}")
    assert "recall" in [one.statement.kind for one in bravo.loose()]
    soon.nodes["ALFA"].close()
    alfa = soon.reopen("ALFA")
    assert all("503" in one.trouble for one in ask_witnesses(alfa, url))
    bravo.close()
    assert [one.trouble for one in ask_witnesses(alfa, url)] == ["", ""]
    assert soon.reopen("BRAVO").charter.version == 2
