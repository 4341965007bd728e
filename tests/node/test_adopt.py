"""Joining an alliance, and founding one of one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from alliance import NOON, RELEASE, SECRET, STANDING, Alliance, inspection

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.standing import NoStanding, NotInForce
from watchword.ledger.log import Log
from watchword.node import CannotAdopt, Node, NoHome
from watchword.statements.keys import KeyTrouble
from watchword.statements.times import FixedClock


def enrolled(folder: Path, template: Alliance, name: str = "ALFA") -> Path:
    """A home with ALFA's keys that has adopted nothing."""
    home = folder / "fresh"
    home.mkdir()
    for part in ("keys", "enrolment.json", "node.toml"):
        source = template.home(name) / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, home / part)
    (home / "keys").chmod(0o700)
    return home


def test_a_charter_without_quorum_is_not_adopted(template: Alliance, tmp_path: Path) -> None:
    """Too few ratifications: refused, and nothing is installed. Fails if adopt does not ask ``in_force``."""
    home = enrolled(tmp_path, template)
    file = CharterFile(template.charter_file.charter, template.charter_file.ratifications[:1])
    with pytest.raises(NotInForce):
        node.adopt(home, file, SECRET, template.clock)
    assert not (home / "charter.json").exists()
    assert not (home / "ledger").exists()


def test_another_secret_is_not_adopted(template: Alliance, tmp_path: Path) -> None:
    """The alliance secret must be the one that the charter commits to: with another, notices would match nothing."""
    home = enrolled(tmp_path, template)
    with pytest.raises(CannotAdopt, match="secret"):
        node.adopt(home, template.charter_file, b"x" * 32, template.clock)
    assert not (home / "charter.json").exists()


def test_a_charter_with_other_keys_than_ours_is_not_adopted(template: Alliance, tmp_path: Path) -> None:
    """A charter that names this member with somebody else's keys is refused: who holds them would speak for us."""
    home = tmp_path / "fresh"
    node.create(home, "ALFA", "ALFA", {"official": ["official"]}, "alfa.example", None)
    with pytest.raises(NoHome, match="keys of ALFA are not those"):
        node.adopt(home, template.charter_file, SECRET, template.clock)
    with pytest.raises(NoHome, match="keys of ALFA are not those"):
        node.ratify(home, template.charter_file.charter, template.clock)


def test_a_charter_with_a_name_that_could_be_a_path_is_not_adopted(template: Alliance, tmp_path: Path) -> None:
    """Members' names become file names on every node, so a drafter cannot smuggle a path in."""
    home = enrolled(tmp_path, template)
    value = json.loads(json.dumps(template.charter_file.charter.value))
    value["suppliers"][0]["name"] = "../AQUILA"
    charter = parse_charter(value)
    with pytest.raises(NoHome, match="cannot be a name"):
        node.ratify(home, charter, template.clock)


def test_adopting_twice_changes_nothing(template: Alliance, tmp_path: Path) -> None:
    """The same charter again is fine; another is refused, since a node keeps one."""
    home = enrolled(tmp_path, template)
    assert node.adopt(home, template.charter_file, SECRET, template.clock) == "ALFA"
    before = (home / "charter.json").read_bytes()
    assert node.adopt(home, template.charter_file, SECRET, template.clock) == "ALFA"
    assert (home / "charter.json").read_bytes() == before
    value = dict(template.charter_file.charter.value) | {"alliance": "Another"}
    other = parse_charter(value)
    ratifications = tuple(node.ratify(template.home(n), other, template.clock)[1] for n in ("ALFA", "BRAVO", "CHARLIE"))
    with pytest.raises(CannotAdopt, match="another charter"):
        node.adopt(home, CharterFile(other, ratifications), SECRET, template.clock)


def test_an_adoption_that_was_cut_short_is_finished(
    template: Alliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two ledgers, adopting again opens what is missing and keeps what there is."""
    home = enrolled(tmp_path, template)
    real, calls = Log.create.__func__, []

    def breaks(cls: type[Log], *arguments: object, **named: object) -> Log:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(cls, *arguments, **named)

    monkeypatch.setattr(Log, "create", classmethod(breaks))
    with pytest.raises(KeyboardInterrupt):
        node.adopt(home, template.charter_file, SECRET, template.clock)
    monkeypatch.undo()
    assert node.adopt(home, template.charter_file, SECRET, template.clock) == "ALFA"
    with Node.open(home, clock=template.clock, writing=True) as opened:
        opened.publish()
        assert opened.record.size == 0


def test_a_changed_charter_or_secret_does_not_open(alliance: Alliance) -> None:
    """A node opens only under a charter in force and with its secret."""
    home = alliance.home("ALFA")
    alliance.nodes["ALFA"].close()
    text = (home / "charter.json").read_bytes()
    (home / "charter.json").write_bytes(text.replace(b"Test Alliance", b"Evil Alliance"))
    with pytest.raises(NotInForce):
        Node.open(home)
    (home / "charter.json").write_bytes(text)
    (home / "alliance.secret").write_bytes(b"y" * 32)
    with pytest.raises(node.DamagedHome, match="secret"):
        Node.open(home)


def test_an_alliance_of_one_says_so(tmp_path: Path) -> None:
    """The embedded node: keys in plain files of mode 0600, witnessed by itself, and labelled so."""
    name = node.found_alone(tmp_path / "home", requirements=[], red_lines=[], standing=STANDING, clock=FixedClock(NOON))
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "home" / "keys").rglob("*.pem")} == {0o600}
    with Node.open(tmp_path / "home", clock=FixedClock(NOON), writing=True) as alone:
        recorded = alone.sign_and_append("inspection", (RELEASE,), inspection())
        assert alone.labels(recorded) == ("durable",)
        alone.publish()
        assert recorded.locator == f"{name}#0"
        assert alone.labels(recorded) == ("durable", "in tree", "unwitnessed, own clock")
        assert [fact.index for fact in alone.facts(alone.latest_view()).statements] == [0]
    with pytest.raises(NoHome):
        node.found_alone(tmp_path / "home", requirements=[], red_lines=[], standing=STANDING, clock=FixedClock(NOON))


def test_a_supplier_signs_and_cannot_ratify(template: Alliance) -> None:
    """A supplier's home signs claims; it holds no root key, no ledger, and is no member."""
    home = template.suppliers["AQUILA"]
    assert b'"payload"' in template.claim()
    with pytest.raises(NoHome, match="supplier"):
        node.ratify(home, template.charter_file.charter, template.clock)
    with pytest.raises(NoHome):
        Node.open(home)


def test_a_member_signs_for_another_s_gate_without_recording(alliance: Alliance) -> None:
    """``sign_only`` leaves the ledger as it was, and refuses what would not count."""
    home = alliance.home("BRAVO")
    size = alliance.nodes["BRAVO"].store.own("ledger").size
    envelope = node.sign_only(home, "inspection", (RELEASE,), inspection(), clock=alliance.clock)
    assert alliance.nodes["ALFA"].append_envelope(envelope).locator == "ALFA#0"
    assert alliance.nodes["BRAVO"].store.own("ledger").size == size
    with pytest.raises(NoStanding):
        node.sign_only(home, "inspection", (RELEASE,), inspection(), clock=alliance.clock, person="steward")
    (home / "keys" / "people" / "evaluator.pem").unlink()
    with pytest.raises(KeyTrouble):
        node.sign_only(home, "inspection", (RELEASE,), inspection(), clock=alliance.clock, person="evaluator")
    with pytest.raises(node.NotHere, match="no key of BRAVO"):
        node.sign_only(home, "inspection", (RELEASE,), inspection(), clock=alliance.clock)
