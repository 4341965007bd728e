"""A person's name in a node: who approved is known while the rule lets it, and nothing that was signed needs it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gate.gated import ALONE, Gated, gated
from gate.test_receipts import judged, proof_of

from watchword.errors import WatchwordError
from watchword.node import NoHome, people
from watchword.node.home import read_home
from watchword.node.people import NoPerson, due, erase, note
from watchword.node.people import people as people_of
from watchword.statements.times import parse_time, rfc3339

NAME, CONTACT = "Zsófia Quillfeather", "z.quillfeather@alfa.example"
DAY = 86_400


@pytest.fixture
def approved(tmp_path: Path) -> Gated:
    """ALFA's commander, whose name is kept, has approved an action that went."""
    here = gated(tmp_path, ALONE)
    here.at("ALFA").close()
    note(here.folder / "ALFA", "commander", NAME, CONTACT, here.clock)
    here.reopen()
    hold = here.held()
    here.approve(hold, "ALFA")
    assert here.gate.release(hold).event == "released"
    here.at("ALFA").anchor_record()
    here.exchange()
    return here


def holding(home: Path, text: str) -> list[str]:
    """The files of a home in which *text* stands, as UTF-8, as escaped JSON, or without regard to case."""
    forms = {text.encode(), json.dumps(text).strip('"').encode(), text.lower().encode()}
    return sorted(
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.is_file() and any(form in path.read_bytes() or form in path.read_bytes().lower() for form in forms)
    )  # fmt: skip


def test_a_name_is_in_one_file_and_in_nothing_that_is_signed_or_sent(approved: Gated, tmp_path: Path) -> None:
    """Approvals, receipts, catalog, exchange files and proofs of a named person hold its label alone."""
    pytest.importorskip("sqlalchemy", reason="the catalog needs it")
    from watchword.catalog.database import open_catalog
    from watchword.node.cataloguing import bring_up

    alfa = approved.at("ALFA")
    catalog = open_catalog(alfa.home / "catalog.db")
    bring_up(alfa, catalog, anew=True)
    catalog.close()
    assert holding(alfa.home, "Quillfeather") == ["people.json"]
    assert oct((alfa.home / "people.json").stat().st_mode & 0o777) == "0o600"
    assert b"Quillfeather" not in proof_of(approved)
    assert approved.receipts()[-1]["event"] == "released"


def test_after_erasure_no_byte_of_the_name_is_left_and_every_proof_holds(approved: Gated, tmp_path: Path) -> None:
    """Not in a file of the home, aside or locked; the check of every byte and both verifiers of the record pass.

    Fails where ``_write`` leaves what a killed process had in ``staging``.
    """
    alfa = approved.at("ALFA")
    (alfa.home / "staging" / "left").write_text(NAME, "utf-8")
    before = approved.receipts()
    alfa.close()
    approved.clock.advance(60)
    erase(alfa.home, ["commander"], "asked for by the person", approved.clock)
    for part in (*NAME.split(), CONTACT):
        assert holding(alfa.home, part) == []
    approved.reopen()
    alfa = approved.at("ALFA")
    alfa.check()
    assert approved.receipts() == before
    assert judged(approved, proof_of(approved), tmp_path) == ("", "")
    alfa.close()
    (person,) = [one for one in people_of(alfa.home, approved.clock) if one.label == "commander"]
    assert (person.name, person.contact, person.until) == (None, None, None)
    assert person.erased == (rfc3339(approved.clock.now()), "asked for by the person")
    assert person.signed >= 2  # its mandate and its approval, which stay


def test_the_rule_counts_from_the_last_signature_and_spares_a_key_in_force(approved: Gated) -> None:
    """A commander in office is named for as long; after that the rule says until when, and not a second before."""
    home = approved.folder / "ALFA"
    with (home / "node.toml").open("a", encoding="utf-8") as file:
        file.write("\n[retention]\npeople_days = 30\n")
    approved.clock.advance(365 * DAY)
    commander = next(one for one in people_of(home, approved.clock) if one.label == "commander")
    assert (commander.in_force, commander.until) == (True, None)
    retired = json.loads((home / "enrolment.json").read_bytes())
    for key in retired["keys"]:
        if key.get("person") == "commander":
            key["retired"] = {"sizes": [], "version": 2}
    # As the home of a member stands whose commander left: a node is not opened on it here.
    alone = home.parent / "left"
    alone.mkdir()
    for name in ("node.toml", "people.json"):
        (alone / name).write_bytes((home / name).read_bytes())
    (alone / "enrolment.json").write_text(json.dumps(retired, sort_keys=True, separators=(",", ":")), "utf-8")
    (left,) = [one for one in people_of(alone, approved.clock) if one.label == "commander"]
    noted = json.loads((home / "people.json").read_bytes())["people"]["commander"]["noted"]
    assert left.until is not None
    assert due([left], approved.clock.now()) == ["commander"]
    until = parse_time(left.until)
    assert until == parse_time(noted) + timedelta(days=30)
    assert due([left], until - timedelta(seconds=1)) == []
    assert due([left], until) == ["commander"]


@pytest.mark.parametrize(
    "stated", ["people_days = -1", "people_days = true", 'people_days = "9"', "people_days = 99999", "days = 1",
               "people_days = 1\nmore = 2"]
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_not_guessed_at(approved: Gated, stated: str) -> None:
    """A typing error in a rule neither erases nor keeps for ever: the home says what is wrong."""
    home = approved.folder / "ALFA"
    with (home / "node.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[retention]\n{stated}\n")
    with pytest.raises(NoHome, match="people_days"):
        read_home(home)


def test_nothing_is_erased_where_one_label_is_wrong(approved: Gated) -> None:
    """All or none; and what is no label, no name or no reason is refused."""
    home = approved.at("ALFA").home
    approved.at("ALFA").close()
    with pytest.raises(NoPerson, match="nobody"):
        erase(home, ["commander", "nobody"], "why", approved.clock)
    bad: list[tuple[Any, ...]] = [("nobody", "x", ""), ("commander", " ", ""), ("commander", "x" * 501, "")]
    for label, name, contact in bad:
        with pytest.raises(NoPerson):
            note(home, label, name, contact, approved.clock)
    with pytest.raises(NoPerson):
        erase(home, ["commander"], " ", approved.clock)
    assert holding(home, "Quillfeather") == ["people.json"]
    (home / "people.json").write_bytes(b'{"format":"watchword-people/9"}\n')
    with pytest.raises(WatchwordError, match="not of a form"):
        people.people(home, approved.clock)
