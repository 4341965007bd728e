"""Files alone: in both directions by hand, in one direction through a diode, plain text that a guard can check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk

from watchword import node
from watchword.ledger.bundle import json_schema
from watchword.node import BadExchange, Node, NotHere
from watchword.node.carry import sizes_in
from watchword.policy.pack import read_pack
from watchword.policy.table import decide
from watchword.statements.times import rfc3339

TARGET = f"release:{RELEASE.digest}"
USE_CASE = {
    "criticality": 0, "format": "watchword-use-case/1", "human": "on", "members": ["ALFA"], "name": "triage",
    "owner": "ALFA", "purpose": "sort mail", "tags": [],
}  # fmt: skip
INSPECTED = [row for row in read_pack(None).requirements if row["id"] == "inspected"]


@pytest.fixture
def alliance(tmp_path: Path) -> Iterator[Alliance]:
    """Three members with one requirement: an inspection."""
    with quick_disk():
        made = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO", "CHARLIE"), requirements=INSPECTED)
        yield made
        made.close()


@pytest.fixture
def high(alliance: Alliance) -> Iterator[Node]:
    """CHARLIE's receiving home behind a diode: charter and secret were carried in once, no key ever."""
    home = alliance.folder / "high"
    node.create_receiver(home, "CHARLIE")
    node.adopt(home, alliance.charter_file, alliance.secret, alliance.clock)
    with Node.open(home, clock=alliance.clock, writing=True) as here:
        yield here


def verdict(here: Node) -> str:
    view = here.latest_view()
    made = decide(here.charter, view, here.facts(view), rfc3339(here.clock.now()), RELEASE, USE_CASE)
    return str(made["verdict"])


def pour(alliance: Alliance, high: Node, name: str = "pour.json", **how: Any) -> Any:
    """One file through the diode."""
    path = alliance.folder / name
    alliance.nodes["CHARLIE"].export("CHARLIE", path, one_way=True, **how)
    return high.import_bundle(path)


def test_a_whole_alliance_works_by_files_alone_and_one_home_never_answers(alliance: Alliance, high: Node) -> None:
    """Evidence, cosignatures, an admission, a recall: all by file, and the last hop without any reply.

    The second file through the diode begins where the first ended, though nobody ever said what had arrived.
    """
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    pour(alliance, high)
    assert verdict(high) == verdict(alliance.nodes["BRAVO"]) == "admitted"
    alliance.recall("BRAVO", TARGET)
    alliance.carry("BRAVO", "CHARLIE")
    done = pour(alliance, high, "second.json")
    assert verdict(high) == "refused"
    assert [(one.origin, one.old, one.new) for one in done.ledgers] == [("bravo.example/notices", 0, 1)]
    parts = json.loads((alliance.folder / "second.json").read_bytes())["ledgers"]
    assert {part["origin"]: part["start"] for part in parts}["alfa.example/ledger"] == 1


def test_a_lost_file_is_told_and_sent_again(alliance: Alliance, high: Node) -> None:
    """The gap is named; ``since`` an older file, or the start, closes it. Nothing is guessed."""
    for name in ("lost.json", "next.json"):
        alliance.nodes["CHARLIE"].sign_and_append("inspection", (RELEASE,), inspection())
        alliance.nodes["CHARLIE"].export("CHARLIE", alliance.folder / name, one_way=True)
    done = high.import_bundle(alliance.folder / "next.json")
    assert [origin for origin, _ in done.skipped] == ["charlie.example/ledger"]
    assert "skipped charlie.example/ledger: the file begins at 1, 0 are held" in done.told()
    done = pour(alliance, high, since={})
    assert ("charlie.example/ledger", 0, 2) in [(one.origin, one.old, one.new) for one in done.ledgers]
    assert sizes_in(alliance.folder / "lost.json")["charlie.example/ledger"] == 1


def test_a_receiving_home_signs_and_sends_nothing(alliance: Alliance, high: Node, tmp_path: Path) -> None:
    """It has no key, cosigns nothing and writes no file; fails when its own member's ledger is taken for its own."""
    alliance.nodes["CHARLIE"].sign_and_append("inspection", (RELEASE,), inspection())
    done = pour(alliance, high)
    assert (done.cosigned, done.forks) == (0, ())
    for act in (
        lambda: high.export("ALFA", tmp_path / "x.json"),
        lambda: high.publish(),
        lambda: high.sign_and_append("inspection", (RELEASE,), inspection()),
    ):
        with pytest.raises(NotHere, match="signs and sends nothing"):
            act()
    assert not any((high.home / "keys").rglob("*.pem"))


def test_no_file_goes_to_oneself_but_through_a_diode(alliance: Alliance) -> None:
    """An ordinary home refuses a file of its own member."""
    charlie = alliance.nodes["CHARLIE"]
    with pytest.raises(NotHere, match="CHARLIE is this node"):
        charlie.export("CHARLIE", alliance.folder / "x.json")
    charlie.export("CHARLIE", alliance.folder / "x.json", one_way=True)
    with pytest.raises(BadExchange, match="not another member"):
        charlie.import_bundle(alliance.folder / "x.json")


def test_a_guard_can_check_a_file_by_the_published_schema(alliance: Alliance) -> None:
    """Plain JSON text of a stated form: a field more, a key of another form, bytes where text belongs are refused."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.recall("ALFA", TARGET)
    path = alliance.folder / "x.json"
    alliance.nodes["ALFA"].export("BRAVO", path)
    value = json.loads(path.read_bytes())
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "bundle.schema.json"
    published = json.loads(page.read_text("utf-8"))
    assert published == json_schema()
    check = jsonschema.Draft202012Validator(published)
    check.validate(value)
    changes: list[dict[str, Any]] = [{"extra": 1}, {"charter": "sha256:zz"}, {"loose": ["text"]}, {"made": "now"}]
    for change in (*changes, {"bodies": [{"salt": 1}]}):
        assert not check.is_valid(value | change), change
