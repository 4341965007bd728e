"""Positions set beside each other: who accepts which version, and what passes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.policy import summit
from watchword.policy.compare import TooMuchToCompare, compare
from watchword.policy.pack import read_pack
from watchword.policy.position import BadPosition, Position, Word, box, read_position
from watchword.policy.strictness import point_at, points, shape
from watchword.report.board import markdown, render

PACK = """name = "draft"
title = "A draft"
[standing]
claim = ["supplier"]
[[requirement]]
id = "looked"
text = "Somebody has looked."
kind = "inspection"
count = 2
max_age_days = 90
bound = [{ field = "high", op = "<=", value = "0.20" }]
when = { criticality = 1 }
owed_by = "members"
accountable = "evaluator"
principle = ["D"]
[[requirement]]
id = "signed"
text = "It is signed for."
kind = "claim"
count = 1
owed_by = "supplier"
accountable = "official"
principle = ["B"]
[[red_line]]
id = "alone"
text = "A human stays in command."
forbid = [{ field = "criticality", op = ">=", value = 3 }, { field = "human", op = "==", value = "out" }]
accountable = "commander"
principle = ["E"]
"""
HIGH = '{ field = "high", op = "<=", value = "0.10" }'
CRITICAL = '{ field = "criticality", op = ">=", value = 2 }'
IF = 'stance = "accept if"\n'
DRILLED = """
[[requirement]]
id = "drilled"
text = "People were drilled."
kind = "review"
count = 1
owed_by = "members"
accountable = "commander"
principle = ["E"]
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder with the pack that is on the table."""
    tmp_path.joinpath("draft.toml").write_text(PACK, "utf-8")
    return tmp_path


def position(folder: Path, member: str, text: str = "", otherwise: str = "accept") -> Position:
    """The position of *member* on the pack in *folder*."""
    path = folder / f"{member}.toml"
    path.write_text(f'member = "{member}"\ntable = ["draft.toml"]\notherwise = "{otherwise}"\n{text}', "utf-8")
    return read_position(path)


def row(id: str, rest: str) -> str:
    """One entry of a position."""
    return f'[[row]]\nid = "{id}"\n{rest}\n'


def by_id(compared: dict[str, Any]) -> dict[str, Any]:
    """The rows of a comparison by id."""
    return {one["id"]: one for one in compared["rows"]}


def test_silence_is_no_consent(table: Path) -> None:
    """A row that a member does not name is open, and is accepted by nobody but those who said so."""
    compared = compare([position(table, "ALFA"), position(table, "BRAVO", otherwise="open")], 2)
    assert by_id(compared)["signed"]["accepted_by"] == ["ALFA"]
    assert by_id(compared)["signed"]["stances"]["BRAVO"]["why"] == "has not said"
    assert compared["all"]["ids"] == [] and compared["all"]["by"] == []


def test_what_all_accept_is_the_strictest_floor(table: Path) -> None:
    """Each asks for at least something: all accept what is at least that for each, moved no further."""
    asks = ["{ count = 3, max_age_days = 90 }", "{ count = 2, max_age_days = 60 }", "{ count = 1, max_age_days = 90 }"]
    said = [
        position(table, name, row("looked", f'stance = "accept if"\nno_looser_than = {ask}'))
        for name, ask in zip(["ALFA", "BRAVO", "CHARLIE"], asks, strict=True)
    ]
    compared = compare(said, 3)
    looked = by_id(compared)["looked"]
    assert looked["accepted_by"] == ["ALFA", "BRAVO", "CHARLIE"]
    assert looked["moved"] == {"how many": [2, 3], "days old at most": [90, 60]}
    agreed = next(one for one in compared["all"]["requirements"] if one["id"] == "looked")
    assert (agreed["count"], agreed["max_age_days"], agreed["when"]["criticality"]) == (3, 60, 1)


def test_what_all_accept_is_the_loosest_ceiling(table: Path) -> None:
    """Each bears no more than something: all accept what none finds too much."""
    few = position(table, "ALFA", row("looked", 'stance = "accept if"\nno_stricter_than = { count = 1 }'))
    some = position(table, "BRAVO", row("looked", 'stance = "accept or looser"'))
    compared = compare([few, some], 2)
    assert by_id(compared)["looked"]["moved"] == {"how many": [2, 1]}
    assert by_id(compared)["looked"]["scales"] == [
        {"scale": "how many", "members": {"ALFA": "1 or looser", "BRAVO": "2 or looser"}, "all": "1 or looser"}
    ]


def test_a_scale_that_nobody_meets_on_is_shown(table: Path) -> None:
    """At least three against at most one: there is no version, and both are named with what they accept."""
    high = position(table, "ALFA", row("looked", 'stance = "accept if"\nno_looser_than = { count = 3 }'))
    low = position(table, "BRAVO", row("looked", 'stance = "accept if"\nno_stricter_than = { count = 1 }'))
    looked = by_id(compare([high, low], 2))["looked"]
    assert len(looked["accepted_by"]) == 1
    assert looked["scales"][0]["all"] is None
    assert {one["why"] for one in looked["stances"].values()} in (
        {None, "accepts how many: 1 or looser"}, {None, "accepts how many: 3 or stricter"},
    )  # fmt: skip


def test_a_bound_is_a_scale_and_its_decimals_are_exact(table: Path) -> None:
    """0.10 is stricter than 0.20, and is written back as it was."""
    strict = position(
        table, "ALFA",
        row("looked", f'stance = "accept if"\nno_looser_than = {{ bound = [{HIGH}] }}'),
    )  # fmt: skip
    compared = compare([strict, position(table, "BRAVO", otherwise="accept or stricter")], 2)
    agreed = next(one for one in compared["all"]["requirements"] if one["id"] == "looked")
    assert agreed["bound"] == [{"field": "high", "op": "<=", "value": "0.10"}]


def test_a_red_line_is_stricter_where_it_forbids_more(table: Path) -> None:
    """From criticality 2 forbids more than from 3; a lower threshold is the stricter one."""
    wide = position(
        table, "ALFA",
        row("alone", f'stance = "accept if"\nno_looser_than = {{ forbid = [{CRITICAL}] }}'),
    )  # fmt: skip
    compared = compare([wide, position(table, "BRAVO", otherwise="accept or stricter")], 2)
    assert compared["all"]["red_lines"][0]["forbid"][0]["value"] == 2
    refused = compare([wide, position(table, "BRAVO", otherwise="accept or looser")], 2)
    assert "alone" not in refused["all"]["ids"]


def test_two_members_of_one_operator_count_once(table: Path) -> None:
    """ALFA and BRAVO are run by one party: together they are one of two operators, and no quorum of two."""
    hosted = [position(table, name, row("signed", 'stance = "refuse"')) for name in ("ALFA", "BRAVO")]
    positions = [replace(one, operator="ALFA-IT") for one in hosted]
    compared = compare([*positions, position(table, "CHARLIE")], 2)
    assert (compared["operators"], by_id(compared)["signed"]["operators"]) == (2, 1)
    assert compared["passing"]["ids"] == ["looked", "alone"]
    assert compared["passing"]["by"] == ["ALFA", "BRAVO", "CHARLIE"]
    with pytest.raises(BadPosition, match="a quorum of 3 among 2 operators"):
        compare([*positions, position(table, "CHARLIE")], 3)


def test_each_row_with_a_majority_is_not_a_table_with_one(table: Path) -> None:
    """Three members, each against another row: every row has two of three, and no two accept all three rows."""
    refusals = zip(["ALFA", "BRAVO", "CHARLIE"], ["looked", "signed", "alone"], strict=True)
    compared = compare([position(table, name, row(id, 'stance = "refuse"')) for name, id in refusals])
    assert compared["quorum"] == 2
    assert compared["steps"] == [{"k": 3, "rows": 0, "whole": 0}, {"k": 2, "rows": 3, "whole": 1}]


def test_a_row_instead_of_another_excludes_it(table: Path) -> None:
    """Both are accepted by all, and a table holds only one of them."""
    proposal = DRILLED + 'instead_of = ["signed"]\n'
    accepts = row("drilled", 'stance = "accept"')
    compared = compare([position(table, "ALFA", proposal), position(table, "BRAVO", accepts)], 2)
    assert len(compared["all"]["ids"]) == 3
    assert len({"signed", "drilled"} & set(compared["all"]["ids"])) == 1


def test_a_row_accepted_only_with_another_falls_with_it(table: Path) -> None:
    """A package is a package: refusing one part of it takes the other."""
    deal = row("signed", 'stance = "accept if"\nwith = ["alone"]')
    alfa = position(table, "ALFA", deal)
    assert compare([alfa, position(table, "BRAVO")], 2)["all"]["ids"] == ["looked", "signed", "alone"]
    compared = compare([alfa, position(table, "BRAVO", row("alone", 'stance = "refuse"'))], 2)
    assert compared["all"]["ids"] == ["looked"]


def test_two_versions_of_another_kind_are_rivals(table: Path) -> None:
    """A proposal under an id of the table that asks for other evidence is another row, never a stricter one."""
    rival = DRILLED.replace('"drilled"', '"signed"')
    alfa = position(table, "ALFA", rival)
    bravo = position(table, "BRAVO")
    compared = compare([alfa, bravo], 2)
    assert "signed" not in compared["all"]["ids"]
    assert by_id(compared)["signed"]["stances"]["ALFA"]["why"] == "accepts another row under this id"
    both = compare([alfa, position(table, "BRAVO", row("signed", 'stance = "accept"\nof = "ALFA"'))], 2)
    assert next(one["kind"] for one in both["all"]["requirements"] if one["id"] == "signed") == "review"


def test_packs_are_positions(table: Path) -> None:
    """Two drafts without a table: what they hold alike passes, what one would loosen too, and what differs in
    strictness is shown on its scale."""
    for stance, ids, scales in (
        ('stance = "accept or looser"', ["looked", "signed", "alone"], []),
        ('stance = "accept"', ["signed", "alone"],
         [{"scale": "how many", "members": {"draft": "2", "other": "3"}, "all": None}]),
    ):  # fmt: skip
        other = PACK.replace('"draft"', '"other"').replace("count = 2", f"count = 3\n{stance}")
        table.joinpath("other.toml").write_text(other, "utf-8")
        compared = compare([read_position(table / "draft.toml"), read_position(table / "other.toml")], 2)
        assert compared["members"] == ["draft", "other"]
        assert compared["all"]["ids"] == ids
        assert by_id(compared)["looked"]["scales"] == scales


def test_who_alone_blocks_is_named_with_the_reason(table: Path) -> None:
    """The row that all others accept, the member that does not, and why."""
    against = row("alone", 'stance = "refuse"\nreason = "harbour defence"')
    compared = compare([position(table, "ALFA"), position(table, "BRAVO"), position(table, "CHARLIE", against)])
    assert "CHARLIE alone keeps from all: alone: harbour defence" in summit.render_text(compared)
    assert "harbour defence" in render(summit.board(compared)) and "harbour defence" in markdown(summit.board(compared))


def test_what_passes_is_a_pack_to_draft_from(table: Path) -> None:
    """The rows as they were accepted, with the standing of the packs on the table."""
    positions = [position(table, "ALFA"), position(table, "BRAVO", row("alone", 'stance = "refuse"'))]
    pack = summit.pack_of(compare(positions, 2), positions)
    draft = read_pack(table / "draft.toml")
    assert (pack.requirements, pack.red_lines, pack.standing) == (draft.requirements, [], draft.standing)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (row("lokked", 'stance = "accept"'), "lokked: nobody put this row on the table"),
        (row("looked", 'stance = "accept if"'), "accept if, and no condition"),
        (row("looked", 'stance = "accept"\nno_looser_than = { count = 1 }'), "limits belong to the stance accept if"),
        (row("looked", 'stance = "accept if"\nno_looser_than = { counts = 1 }'), "counts is no scale"),
        (row("alone", 'stance = "accept if"\nno_looser_than = { count = 1 }'), "count is no scale"),
        (row("looked", 'stance = "accept if"\nno_looser_than = { count = "1" }'), "count has another value"),
        (row("looked", f"{IF}no_looser_than = {{ tools = 3 }}\nno_stricter_than = {{ tools = 1 }}"), "is stricter"),
        (row("looked", 'stance = "perhaps"'), "perhaps"),
        (row("looked", 'stance = "accept"\nof = "CHARLIE"'), "of whose version"),
        (DRILLED + 'stance = "accept"\nforbid = []\n', "forbid"),
        (DRILLED + "instead_of = [1]\n", "instead_of is a list of ids"),
        ('name = "x', "not TOML"),
    ],
)
def test_a_position_that_says_something_else_is_named(table: Path, text: str, named: str) -> None:
    """File, row and what is wrong."""
    with pytest.raises(Exception, match=named) as caught:
        compare([position(table, "ALFA", text)])
    assert str(table / "ALFA.toml") in str(caught.value)


def test_limits_are_named(table: Path) -> None:
    """Two files of one member, a quorum of more than all, too many members."""
    alfa = position(table, "ALFA")
    with pytest.raises(BadPosition, match="two positions of ALFA"):
        compare([alfa, alfa])
    with pytest.raises(BadPosition, match="a quorum of 2 among 1 operators"):
        compare([alfa], 2)
    with pytest.raises(TooMuchToCompare, match="65 positions, limit 64"):
        compare([position(table, f"M{number}") for number in range(65)])


SCALES = ("count", "tools")
LIMITS = st.dictionaries(st.sampled_from(SCALES), st.integers(0, 3), max_size=2)
SAID = st.one_of(
    st.builds(Word, st.sampled_from(["accept", "accept or stricter", "accept or looser", "refuse"])),
    st.builds(lambda limits: Word("accept if", no_looser_than=limits, with_=("r0",)), LIMITS),
    st.builds(lambda limits: Word("accept if", no_stricter_than=limits), LIMITS),
    st.none(),
)
REQUIREMENT = read_pack().requirements[0] | {"count": 2, "tools": 1}
ROWS = [REQUIREMENT | {"id": f"r{number}"} for number in range(3)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SAID, SAID, SAID), min_size=1, max_size=4), st.booleans(), st.booleans(), st.data())
def test_the_largest_table_is_the_largest(
    said: list[tuple[Any, ...]], rivals: bool, shared: bool, data: st.DataObject
) -> None:
    """Against trying every set of rows, every version and every coalition: the same size, and it is truly accepted."""
    positions = [
        Position(
            f"M{number}", f"O{number // 2 if shared else number}", "x", (), "open",
            tuple((ROWS[at]["id"], word) for at, word in enumerate(words) if word is not None),
            tuple(ROWS) if number == 0 else (), {"r1": ("r2",)} if rivals and number == 0 else {}, {},
        )
        for number, words in enumerate(said)
    ]  # fmt: skip
    operators = [position.operator for position in positions]
    k = data.draw(st.integers(1, len(set(operators))))
    compared = compare(positions, k)

    def accepts(words: tuple[Any, ...], at: int, count: int, tools: int, ids: set[int]) -> bool:
        word = words[at]
        if word is None or word.stance == "refuse" or (word.with_ and 0 not in ids):
            return False
        there = points(ROWS[at] | {"count": count, "tools": tools})
        here = box(word, ROWS[at], "x")
        return all(here.holds(scale, point.strict) for scale, point in there.items())

    versions = list(itertools.product(range(4), range(4)))

    def possible(ids: set[int]) -> bool:
        if rivals and {1, 2} <= ids:
            return False
        return any(
            all(any(all(accepts(words, at, *v, ids) for words in group) for v in versions) for at in ids)
            for chosen in itertools.combinations(range(len(said)), k)
            if len({operators[at] for at in chosen}) == k
            for group in [[said[at] for at in chosen]]
        )

    best = max(len(ids) for n in range(4) for ids in map(set, itertools.combinations(range(3), n)) if possible(ids))
    passing = compared["passing"]
    assert (len(passing["ids"]), passing["exact"]) == (best, True)
    assert len({operators[int(name[1:])] for name in passing["by"]}) >= k or not passing["ids"]
    numbers = {int(id[1:]) for id in passing["ids"]}
    for row_ in passing["requirements"]:
        for name in passing["by"]:
            words = said[int(name[1:])]
            assert accepts(words, int(row_["id"][1:]), row_["count"], row_["tools"], numbers)


@given(st.decimals(-100, 100, allow_nan=False, places=3), st.sampled_from(["<", "<=", ">", ">="]))
def test_a_place_on_a_scale_is_written_back_as_it_was(value: Any, op: str) -> None:
    """No digit of a decimal is lost between a row and its place on the scale."""
    text = format(value, "f")
    there = points(REQUIREMENT | {"bound": [{"field": "x", "op": op, "value": text}]})
    found = {str(scale): point_at(scale, point.strict).value for scale, point in there.items()}
    assert found[f"x {op}"] in (text, text.removeprefix("-") if float(text) == 0 else text)


def test_wording_is_no_other_shape() -> None:
    """Text, principle and norms served do not make a rival; who owes it does."""
    same = REQUIREMENT | {"text": "other words", "principle": ["A"], "count": 5}
    assert shape(same) == shape(REQUIREMENT)
    assert shape(REQUIREMENT | {"owed_by": "somebody else"}) != shape(REQUIREMENT)
    assert shape(REQUIREMENT | {"kind": "review"}) != shape(REQUIREMENT)
