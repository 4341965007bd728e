"""A member joins while the others serve: what came by files goes on over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alliance import SECRET, Alliance, make_alliance, quick_disk
from web.conftest import serving

from watchword import node
from watchword.charter.charter import read_charter_file
from watchword.node import Node
from watchword.node.joining import Heard, join
from watchword.statements.digests import D, spoken


def test_the_first_ledgers_and_cosignatures_come_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After both members adopted, the newcomer needs nothing more from the folder: it asks them and is a member."""
    # Answers are dated by this machine's clock, and the alliance of the test lives at another time.
    monkeypatch.setattr("watchword.node.around.CLOCK_AHEAD_S_MAX", 10**9)
    with quick_disk():
        made: Alliance = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO"))
        made.sync()
        made.close()
        delta, door, secret = made.folder / "DELTA", tmp_path / "door", tmp_path / "secret"
        node.create(delta, "DELTA", "DELTA", {"official": ["official"]}, "delta.example", None)
        door.mkdir()
        secret.write_bytes(SECRET)
        step: Callable[..., object] = lambda name, **more: join(made.home(name), door, clock=made.clock, **more)  # noqa: E731
        step("DELTA")
        digits = spoken(D((delta / "enrolment.json").read_bytes()))
        for name in ("ALFA", "BRAVO"):
            step(name, heard=Heard(digits))
        step("ALFA")
        charter = spoken(read_charter_file(door / "DELTA.charter.json").charter.digest)
        step("DELTA", heard=Heard(charter, "ALFA"))
        for path in door.glob("*.wwx.json"):
            path.unlink()
        alfa, bravo = (Node.open(made.home(name), clock=made.clock) for name in ("ALFA", "BRAVO"))
        with alfa, bravo, serving(alfa) as one, serving(bravo) as two:
            peers = {"ALFA": one, "BRAVO": two}
            joined = join(
                delta, door, clock=made.clock, heard=Heard(charter, "BRAVO"), secret=secret, peers=peers
            )
        assert joined.waits == []
        assert joined.record is not None
        witnesses = {one["name"] for one in joined.record["heads"]["delta.example/ledger"]["witnesses"]}
        assert witnesses == {"alfa.example/witness", "bravo.example/witness", "delta.example/witness"}
