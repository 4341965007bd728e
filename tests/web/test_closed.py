"""A ledger that a charter closed, over HTTP: pulled up to its end by who has none of it, and mended from a mirror."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from alliance import RELEASE, Alliance, inspection
from successions import adopt, follow

from watchword import node
from watchword.ledger.tiles import BadLedger
from watchword.node.repairing import repair
from watchword.node.sync import sync

Served = Callable[[str], str]
NAMES = ("ALFA", "BRAVO", "CHARLIE")
OLD = "alfa.example/ledger"


@pytest.fixture
def closed(alliance: Alliance) -> Alliance:
    """ALFA has begun anew; the old ledger has two leaves, of which the charter closes over one."""
    alfa = alliance.nodes["ALFA"]
    alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    coming = node.begin_anew(alliance.home("ALFA"), None, alliance.clock)
    adopt(alliance, follow(alliance, [coming], NAMES), NAMES)
    alliance.sync(3)
    return alliance


def test_a_closed_ledger_is_pulled_up_to_its_end(closed: Alliance, served: Served) -> None:
    """By a member that lost its mirror, from another's; nobody cosigns it, and it is not asked for again."""
    folder = closed.nodes["BRAVO"].store.folder(OLD)
    closed.nodes["BRAVO"].close()
    shutil.rmtree(folder)
    for kept in ("heads", "cosigned"):
        (closed.home("BRAVO") / kept / folder.name).unlink()
    bravo = closed.reopen("BRAVO")
    (brought,) = sync(bravo, {"CHARLIE": served("CHARLIE")})
    assert (brought.troubles, brought.forks) == ([], [])
    assert (OLD, 0, 1) in [(one.origin, one.old, one.new) for one in brought.ledgers]
    assert f"{OLD}: 1 leaves lead to the head, 1 bodies match" in bravo.check()
    assert RELEASE.digest in {
        fact.signed.statement.subject[0].digest for fact in bravo.facts(bravo.latest_view()).statements
    }
    (again,) = sync(bravo, {"CHARLIE": served("CHARLIE")})
    assert again.ledgers == [] and again.requests < brought.requests


def test_a_damaged_tile_of_a_closed_ledger_is_restored(closed: Alliance, served: Served) -> None:
    """From a mirror, in the home of a member and of the one whose ledger it was; nothing else is touched."""
    for name in ("BRAVO", "ALFA"):
        here = closed.nodes[name]
        tile = here.store.folder(OLD) / "tile" / "0" / "000.p" / "1"
        right = tile.read_bytes()
        tile.chmod(0o600)
        tile.write_bytes(bytes(32))
        here.close()
        here = closed.reopen(name)
        with pytest.raises(BadLedger):
            here.check()
        done = {one.origin: one for one in repair(closed.reopen(name), {"CHARLIE": served("CHARLIE")})}
        assert (done[OLD].trouble, done[OLD].peer) == ("", "CHARLIE")
        assert tile.read_bytes() == right
        closed.reopen(name).check()
