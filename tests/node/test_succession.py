"""A charter that follows another: new keys come in, old words stay, and nobody is silenced by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, SECRET, Alliance, inspection, make_alliance, quick_disk, ratification_by

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.succession import DoesNotFollow
from watchword.node import CannotAdopt, Node, NoHome, stepping
from watchword.statements.keys import load_key

NAMES = ("ALFA", "BRAVO", "CHARLIE")


@pytest.fixture
def alliance(tmp_path: Path) -> Iterator[Alliance]:
    """Three members with something on record, all nodes closed."""
    with quick_disk():
        made = make_alliance(tmp_path / "alliance", NAMES)
        made.sync()
        made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        made.close()
        yield made
        made.close()


def following(alliance: Alliance, by: tuple[str, ...] = NAMES, **changes: Any) -> CharterFile:
    """The next charter, over the members' coming enrolments, ratified by *by*."""
    before = alliance.charter_file.charter
    members = [node.enrolment(alliance.home(name), coming=True) for name in NAMES]
    value = before.value | {"members": members, "parent": before.digest, "version": 2} | changes
    charter = parse_charter(value)
    made = tuple(node.ratify(alliance.home(name), charter, alliance.clock)[1] for name in by)
    return CharterFile(charter, made)


def adopt(alliance: Alliance, file: CharterFile, names: tuple[str, ...] = NAMES) -> None:
    for name in names:
        node.adopt(alliance.home(name), file, SECRET, alliance.clock)
        alliance.nodes[name] = Node.open(alliance.home(name), clock=alliance.clock, writing=True)


def test_witness_gate_and_a_person_get_new_keys_and_the_ledgers_go_on(alliance: Alliance) -> None:
    """After three renewals the next charter is adopted everywhere; old statements stand, new keys sign."""
    home = alliance.home("ALFA")
    ids = {job: node.renew(home, None, job=job) for job in ("witness", "gate")}
    ids["zoe"] = node.renew(home, None, person="zoe", roles=["evaluator"])
    adopt(alliance, following(alliance))
    alfa = alliance.nodes["ALFA"]
    assert {alfa.keys.job(job).public.id for job in ("witness", "gate")} == {ids["witness"], ids["gate"]}
    said = alfa.sign_and_append("inspection", (RELEASE,), inspection(tool="another"), person="zoe")
    assert alfa.locate(said.id).signed.key_id == ids["zoe"]
    alliance.sync()
    for here in alliance.nodes.values():
        view = here.latest_view()
        assert view.heads["alfa.example/ledger"].size == 2
        assert len([f for f in here.facts(view).statements if f.signed.statement.kind == "inspection"]) == 2
        here.check()
    assert (home / "charter-1.json").read_bytes() == alliance.charter_file.encode() + b"\n"


def test_nothing_changes_before_the_charter_that_lists_it(alliance: Alliance) -> None:
    """The old key signs on until the members have agreed."""
    home = alliance.home("ALFA")
    old = node.enrolment(home)
    node.renew(home, None, job="witness")
    node.renew(home, None, person="zoe", roles=["evaluator"])
    with Node.open(home, clock=alliance.clock, writing=True) as here:
        here.publish(refresh=True)
        here.sign_and_append("inspection", (RELEASE,), inspection())
    assert node.enrolment(home) == old


def drop_person(value: dict[str, Any]) -> None:
    keys = value["members"][1]["keys"]
    keys.remove(next(key for key in keys if key.get("person") == "evaluator"))
    keys[-1]["roles"] = ["evaluator", "steward"]


def drop_supplier(value: dict[str, Any]) -> None:
    value["suppliers"] = []


def other_origin(value: dict[str, Any]) -> None:
    value["members"][1]["origins"] = value["members"][1]["origins"] | {"notices": "fresh.example/notices"}


def other_version(value: dict[str, Any]) -> None:
    value["version"] = 3


def other_parent(value: dict[str, Any]) -> None:
    value["parent"] = "sha256:" + "00" * 32


@pytest.mark.parametrize("change", [drop_person, drop_supplier, other_origin, other_version, other_parent])
def test_a_charter_that_silences_somebody_does_not_follow(
    alliance: Alliance, change: Callable[[dict[str, Any]], None]
) -> None:
    """A key or ledger gone would take its bad news with it; fails where only the ratifications are counted."""
    import copy

    value = copy.deepcopy(alliance.charter_file.charter.value | {"parent": alliance.charter_file.charter.digest})
    value["version"] = 2
    change(value)
    charter = parse_charter(value)
    keys = {name: load_key(alliance.home(name) / "keys" / "root.pem") for name in ("ALFA", "CHARLIE")}
    by = tuple(ratification_by(name, key, charter, alliance.clock) for name, key in keys.items())
    if value["parent"] == alliance.charter_file.charter.digest:
        with pytest.raises(DoesNotFollow):
            node.ratify(alliance.home("ALFA"), charter, alliance.clock)
    with pytest.raises(CannotAdopt):
        node.adopt(alliance.home("ALFA"), CharterFile(charter, by), SECRET, alliance.clock)
    with Node.open(alliance.home("ALFA"), clock=alliance.clock) as here:
        assert here.charter.version == 1


def test_who_is_in_force_decides_what_follows(alliance: Alliance) -> None:
    """A charter that lowers its own quorum still needs the old one; fails when it is judged by itself alone."""
    quorum = alliance.charter_file.charter.value["quorum"]
    file = following(alliance, ("ALFA",), quorum=quorum | {"ratify": 1})
    with pytest.raises(CannotAdopt, match="ratified by 1 operators of charter 1, 2 needed"):
        node.adopt(alliance.home("ALFA"), file, SECRET, alliance.clock)


def test_adopting_again_finishes_what_a_kill_cut_short(alliance: Alliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the keys were put in place and before the charter was: the same command ends it."""
    home = alliance.home("ALFA")
    id = node.renew(home, None, job="witness")
    file = following(alliance)
    real = stepping.install_coming

    def killed(path: Path) -> None:
        real(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stepping, "install_coming", killed)
        with pytest.raises(KeyboardInterrupt):
            node.adopt(home, file, SECRET, alliance.clock)
    adopt(alliance, file)
    assert alliance.nodes["ALFA"].keys.job("witness").public.id == id


@pytest.mark.parametrize("job", ["ledger", "people", "root-9"])
def test_other_keys_are_not_replaced(alliance: Alliance, job: str) -> None:
    """A ledger's key is replaced with the ledger, a person's by name."""
    with pytest.raises(NoHome):
        node.renew(alliance.home("ALFA"), None, job=job)
