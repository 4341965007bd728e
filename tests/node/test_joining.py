"""A member joins: what counts is what was heard, whoever keeps the folder in which the files lie."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, SECRET, Alliance, copy_alliance, inspection, make_alliance, quick_disk, ratification_by
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter, read_charter_file
from watchword.errors import WatchwordError
from watchword.node import Node, joining
from watchword.node.joining import CannotJoin, Heard, Joined, WrongDigits
from watchword.statements.canonical import canonical
from watchword.statements.digests import D, spoken
from watchword.statements.keys import KeyTrouble

PEOPLE = {"official": ["official"], "evaluator": ["evaluator"]}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    """ALFA and BRAVO with something on record, and DELTA's home, which is in no charter."""
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("begun") / "alliance", ("ALFA", "BRAVO"))
        made.sync()
        made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        made.close()
        node.create(made.folder / "DELTA", "DELTA", "DELTA", PEOPLE, "delta.example", None)
        (made.folder / "door").mkdir()
    return made


@pytest.fixture
def alliance(begun: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    with quick_disk():
        copy = copy_alliance(begun, tmp_path / "alliance")
        copy.close()
        yield copy


def step(alliance: Alliance, name: str, heard: str = "", by: str = "", **more: Any) -> Joined:
    said = Heard(heard, by) if heard else None
    return joining.join(alliance.home(name), alliance.folder / "door", clock=alliance.clock, heard=said, **more)


def enrolment_digits(alliance: Alliance) -> str:
    """As DELTA's own screen shows them."""
    return spoken(D((alliance.home("DELTA") / "enrolment.json").read_bytes()))


def charter_digits(alliance: Alliance) -> str:
    """Of the charter that lies in the folder."""
    return spoken(read_charter_file(alliance.folder / "door" / "DELTA.charter.json").charter.digest)


def secret(alliance: Alliance) -> Path:
    path = alliance.folder / "by-hand"
    path.write_bytes(SECRET)
    return path


def up_to_the_charter(alliance: Alliance) -> str:
    """DELTA has put its enrolment, both have heard its digits, and the charter is ratified; the charter's digits."""
    step(alliance, "DELTA")
    step(alliance, "ALFA", enrolment_digits(alliance))
    step(alliance, "BRAVO", enrolment_digits(alliance))
    return charter_digits(alliance)


def test_a_member_joins_by_files_and_its_word_counts(alliance: Alliance, tmp_path: Path) -> None:
    """At the end the newcomer holds what the others said, its ledgers are cosigned, and they read what it says."""
    digits = up_to_the_charter(alliance)
    step(alliance, "DELTA", digits, "ALFA")
    step(alliance, "DELTA", digits, "BRAVO", secret=secret(alliance))
    for name in ("ALFA", "BRAVO", "ALFA"):
        step(alliance, name)
    joined = step(alliance, "DELTA")
    assert joined.waits == []
    record = json.loads((alliance.folder / "door" / "DELTA.DELTA.ceremony.json").read_bytes())
    assert [one["by"] for one in record["heard"]] == ["ALFA", "BRAVO"]
    assert sorted(one["by"] for one in record["ratified"]) == ["ALFA", "BRAVO", "DELTA"]
    assert {one["name"] for one in record["heads"]["delta.example/ledger"]["witnesses"]} >= {"delta.example/witness"}
    with Node.open(alliance.home("DELTA"), clock=alliance.clock, writing=True) as delta:
        assert delta.locate("ALFA#0").signed.statement.kind == "inspection"
        delta.sign_and_append("inspection", (RELEASE,), inspection())
        delta.export("ALFA", tmp_path / "said.wwx.json")
    with Node.open(alliance.home("ALFA"), clock=alliance.clock, writing=True) as alfa:
        alfa.import_bundle(tmp_path / "said.wwx.json")
        assert alfa.locate("DELTA#0").holder is not None


@pytest.mark.parametrize("group", [0, 5, 11])
def test_one_wrong_digit_signs_nothing(alliance: Alliance, group: int) -> None:
    """What was heard is compared whole, and where it differs nothing is drafted, ratified or kept as heard.

    Fails where ``_compare`` returns instead of raising.
    """
    step(alliance, "DELTA")
    groups = enrolment_digits(alliance).split()
    groups[group] = f"{(int(groups[group]) + 1) % 100_000:05d}"
    with pytest.raises(WrongDigits, match=f"from group {group + 1} on"):
        step(alliance, "ALFA", " ".join(groups))
    assert [path.name for path in (alliance.folder / "door").iterdir()] == ["DELTA.enrolment.json"]
    assert not (alliance.home("ALFA") / joining.HEARD).exists()
    assert step(alliance, "ALFA").charter is None


@pytest.mark.parametrize("typed", ["1", "12345 " * 13, "not digits", "\uff10" * 60])
def test_what_is_no_digits_is_not_right(alliance: Alliance, typed: str) -> None:
    """Too few, too many, letters, and digits of another script are simply wrong."""
    step(alliance, "DELTA")
    with pytest.raises(WrongDigits):
        step(alliance, "ALFA", typed)


def test_an_enrolment_that_was_exchanged_on_the_way_is_not_what_was_heard(alliance: Alliance) -> None:
    """Who keeps the folder puts its own keys under DELTA's name; DELTA's voice reads other digits.

    Fails where a member drafts without having heard (``if not noted`` removed).
    """
    step(alliance, "DELTA")
    heard = enrolment_digits(alliance)
    forged = node.create(alliance.folder / "forged", "DELTA", "DELTA", PEOPLE, "delta.example", None)
    (alliance.folder / "door" / "DELTA.enrolment.json").write_bytes(canonical(forged) + b"\n")
    assert step(alliance, "ALFA").charter is None
    with pytest.raises(WrongDigits):
        step(alliance, "ALFA", heard)
    with pytest.raises(CannotJoin, match="not the enrolment of"):
        step(alliance, "DELTA")


def test_what_was_heard_of_one_enrolment_is_not_heard_of_another(alliance: Alliance) -> None:
    """A member that heard DELTA's digits, and then finds another enrolment in the folder, waits again."""
    step(alliance, "DELTA")
    (alliance.home("ALFA") / "keys" / "root.pem").rename(alliance.folder / "root.pem")
    with pytest.raises(KeyTrouble):
        step(alliance, "ALFA", enrolment_digits(alliance))
    (alliance.folder / "root.pem").rename(alliance.home("ALFA") / "keys" / "root.pem")
    forged = node.create(alliance.folder / "forged", "DELTA", "DELTA", PEOPLE, "delta.example", None)
    (alliance.folder / "door" / "DELTA.enrolment.json").write_bytes(canonical(forged) + b"\n")
    assert step(alliance, "ALFA").charter is None


def test_a_ceremony_that_was_interrupted_goes_on_where_it_was(alliance: Alliance) -> None:
    """Digits that were heard are not asked for again: not after a missing key, and not after days."""
    step(alliance, "DELTA")
    root = alliance.home("ALFA") / "keys" / "root.pem"
    kept = root.read_bytes()
    root.unlink()
    with pytest.raises(KeyTrouble, match="no such key"):
        step(alliance, "ALFA", enrolment_digits(alliance))
    root.write_bytes(kept)
    root.chmod(0o600)
    alliance.clock.advance(86_400)
    assert step(alliance, "ALFA").charter is not None
    step(alliance, "BRAVO", enrolment_digits(alliance))
    digits = charter_digits(alliance)
    step(alliance, "DELTA", digits, "ALFA")
    assert any("1 of 2 heard" in one for one in step(alliance, "DELTA").waits)
    waits = step(alliance, "DELTA", digits, "BRAVO").waits
    assert waits == ["the alliance secret, from a member's hand into yours: then --secret FILE"]
    assert step(alliance, "DELTA", secret=secret(alliance)).charter is not None
    assert (alliance.home("DELTA") / "charter.json").is_file()


def liars_alliance(alliance: Alliance, folder: Path) -> CharterFile:
    """The same names, the same rules, and every member's keys a liar's, who has ratified for all of them."""
    members = [
        node.create(folder / name, name, name, {"official": ["official"], "evaluator": ["evaluator"]},
                    f"{name.lower()}.example", None)
        for name in ("ALFA", "BRAVO")
    ]  # fmt: skip
    value = alliance.charter_file.charter.value | {
        "members": [*members, node.enrolment(alliance.home("DELTA"))],
        "parent": alliance.charter_file.charter.digest, "version": 2,
    }  # fmt: skip
    charter = parse_charter(value)
    signed = [
        ratification_by(name, node.home.Keys(folder / name, None).job("root"), charter, alliance.clock)
        for name in ("ALFA", "BRAVO")
    ]
    return CharterFile(charter, tuple(sorted(signed)))


def test_a_charter_of_a_liar_is_adopted_by_nobody_who_called_a_member(alliance: Alliance, tmp_path: Path) -> None:
    """A charter ratifies itself, so signatures tell a newcomer nothing; the voice of an honest member does.

    Fails where ``voices_needed`` is 0: everything in the liar's folder verifies, and DELTA adopts.
    """
    honest = up_to_the_charter(alliance)
    theirs = liars_alliance(alliance, tmp_path)
    (alliance.folder / "door" / "DELTA.charter.json").write_bytes(theirs.encode() + b"\n")
    assert any("0 of 2 heard" in one for one in step(alliance, "DELTA", secret=secret(alliance)).waits)
    with pytest.raises(WrongDigits, match="charter 2 of Test Alliance"):
        step(alliance, "DELTA", honest, "ALFA", secret=secret(alliance))
    assert not (alliance.home("DELTA") / "charter.json").exists()
    assert not (alliance.folder / "door" / "DELTA.ratification.json").exists()


def test_one_liar_among_those_who_read_is_not_enough(alliance: Alliance, tmp_path: Path) -> None:
    """Who is called by the liar, once or twice in one name, has heard one voice."""
    up_to_the_charter(alliance)
    theirs = liars_alliance(alliance, tmp_path)
    (alliance.folder / "door" / "DELTA.charter.json").write_bytes(theirs.encode() + b"\n")
    for _ in range(2):
        joined = step(alliance, "DELTA", spoken(theirs.charter.digest), "BRAVO", secret=secret(alliance))
        assert any("1 of 2 heard" in one for one in joined.waits)
    with pytest.raises(CannotJoin, match="DELTA is operated by whom DELTA is"):
        step(alliance, "DELTA", spoken(theirs.charter.digest), "DELTA")
    with pytest.raises(WatchwordError, match="ECHO"):
        step(alliance, "DELTA", spoken(theirs.charter.digest), "ECHO")
    assert not (alliance.home("DELTA") / "charter.json").exists()


def test_members_ratify_no_charter_that_changes_more_than_the_newcomer(alliance: Alliance) -> None:
    """A charter in the folder that also drops a red line, or lists DELTA with another key, is not signed by ``join``.

    Fails where ``_only_the_newcomer`` returns.
    """
    step(alliance, "DELTA")
    step(alliance, "ALFA", enrolment_digits(alliance))
    at = alliance.folder / "door" / "DELTA.charter.json"
    good = read_charter_file(at).charter
    (alliance.folder / "door" / "ALFA.ratification.json").unlink()
    other = node.create(alliance.folder / "forged", "DELTA", "DELTA", PEOPLE, "delta.example", None)
    members = [one if one["name"] != "DELTA" else other for one in good.value["members"]]
    for changed in ({"head_max_age_s": 999_999}, {"members": members}):
        at.write_bytes(CharterFile(parse_charter(good.value | changed), ()).encode() + b"\n")
        with pytest.raises(CannotJoin, match="nothing else"):
            step(alliance, "BRAVO", enrolment_digits(alliance))
    assert not (alliance.folder / "door" / "BRAVO.ratification.json").exists()


def test_the_newcomers_own_word_puts_nothing_in_force(alliance: Alliance) -> None:
    """One of two members and the newcomer are two, and no quorum of those who were there.

    Fails where ``_become`` counts the newcomer among those who ratified.
    """
    step(alliance, "DELTA")
    step(alliance, "ALFA", enrolment_digits(alliance))
    digits = charter_digits(alliance)
    step(alliance, "DELTA", digits, "ALFA")
    joined = step(alliance, "DELTA", digits, "BRAVO", secret=secret(alliance))
    assert joined.waits == ["ratified by 1 operators besides DELTA, 2 needed", "not yet ratified by BRAVO"]
    assert not (alliance.home("DELTA") / "charter.json").exists()


def test_a_newcomer_without_which_no_quorum_would_prove_anything_is_told_so(tmp_path: Path) -> None:
    """Two of three cosign; two of four would prove nothing. It is said what to type instead."""
    with quick_disk():
        made = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO", "CHARLIE"), faulty=0)
        made.close()
        node.create(made.folder / "DELTA", "DELTA", "DELTA", PEOPLE, "delta.example", None)
        (made.folder / "door").mkdir()
        step(made, "DELTA")
        with pytest.raises(CannotJoin, match="cannot work") as told:
            step(made, "ALFA", enrolment_digits(made))
        assert "watchword charter propose" in told.value.hint


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"keys":[],"name":"DELTA"}', b'{"name":"ECHO"}', b"\xff" * 100, b'{"a":1,"a":2}',
     b'{"keys":7,"name":"DELTA","operator":1,"origins":2,"witness":null}', b'{"closes":[],"name":"DELTA"}'],
)  # fmt: skip
def test_what_is_no_enrolment_is_refused_by_name(alliance: Alliance, data: bytes) -> None:
    """Whatever lies in the folder under a newcomer's name costs a named error."""
    (alliance.folder / "door" / "DELTA.enrolment.json").write_bytes(data)
    with pytest.raises(WatchwordError):
        step(alliance, "ALFA")


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["keys", "operator", "origins", "witness", "root_threshold", "closes"]),
        st.none() | st.integers(-1, 3) | st.text(max_size=5) | st.lists(st.dictionaries(st.text(), st.none())),
        max_size=6,
    )
)
@example({"keys": [{"job": "people"}], "operator": "X", "origins": {}, "witness": "w"})
def test_whatever_an_enrolment_says_it_is_read_or_refused_by_name(alliance: Alliance, value: dict[str, Any]) -> None:
    """No enrolment in the folder crashes a member, makes it sign, or is believed unheard."""
    (alliance.folder / "door" / "DELTA.enrolment.json").write_bytes(canonical(value | {"name": "DELTA"}) + b"\n")
    with suppress(WatchwordError):
        assert step(alliance, "ALFA").charter is None
    assert [path.name for path in (alliance.folder / "door").iterdir()] == ["DELTA.enrolment.json"]


def test_a_ratification_that_is_none_stops_nobody(alliance: Alliance) -> None:
    """Files that ratify another charter, or nothing, lie there and add nothing."""
    digits = up_to_the_charter(alliance)
    door = alliance.folder / "door"
    (door / "CHARLIE.ratification.json").write_bytes(b"{}\n")
    (door / "OLD.ratification.json").write_bytes(alliance.charter_file.ratifications[0] + b"\n")
    step(alliance, "DELTA", digits, "ALFA")
    assert step(alliance, "DELTA", digits, "BRAVO", secret=secret(alliance)).waits != []
    assert (alliance.home("DELTA") / "charter.json").is_file()


def test_a_supplier_and_a_second_newcomer_are_told(alliance: Alliance) -> None:
    """One folder is one ceremony, of a member."""
    with pytest.raises(CannotJoin, match="a supplier"):
        step(alliance, "AQUILA")
    with pytest.raises(CannotJoin, match="no enrolment here"):
        step(alliance, "ALFA")
    step(alliance, "DELTA")
    shutil.copy(alliance.folder / "door" / "DELTA.enrolment.json", alliance.folder / "door" / "ECHO.enrolment.json")
    with pytest.raises(CannotJoin, match="whom its name says"):
        step(alliance, "ALFA")
