"""The alliance pack as people read it, and as a charter holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.policy.pack import (
    SHIPPED,
    BadPack,
    Pack,
    PacksConflict,
    combined,
    find_packs,
    read_pack,
    render_markdown,
    render_table,
    shipped_pack,
)

ROW = """
name = "mine"
title = "Mine"
[standing]
claim = ["supplier"]
[[requirement]]
id = "signed"
text = "It is signed for."
kind = "claim"
count = 1
owed_by = "supplier"
accountable = "official"
principle = ["B"]
"""


def test_the_shipped_pack_is_what_it_says() -> None:
    """Fourteen rows over four criticalities, seven red lines, every principle that evidence speaks to, and no other."""
    pack = read_pack()
    rows = {row["id"]: row for row in pack.requirements}
    assert [row["when"]["criticality"] for row in pack.requirements] == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3]
    assert [line["id"] for line in pack.red_lines] == [
        "hidden-code", "recalled", "no-lone-machine", "reviewed-against", "measured-evasion", "endpoint-capped",
        "disputed",
    ]  # fmt: skip
    assert [row["id"] for row in pack.requirements if row["waiver"]] == ["data-accounted"]
    assert {letter for row in pack.requirements for letter in row["principle"]} == set("ABCDE")
    assert rows["supplier-claim"]["from"] == "supplier"
    assert rows["two-inspections"] == {
        "id": "two-inspections", "kind": "inspection", "count": 2, "from": "member", "distinct": "operators",
        "text": "Two members that do not share an operator have looked, within the last quarter.", "where": [],
        "tools": 0, "max_age_days": 90, "bound": [{"field": "verdict", "op": "==", "value": "nothing-found"}],
        "when": {"criticality": 1, "human": [], "release": "files"}, "owed_by": "members", "accountable": "evaluator",
        "principle": ["D"],
        "serves": ["deploy-securely-2024:validate.inspect-first", "atlas-5.6.0:AML.M0016"], "waiver": None,
    }  # fmt: skip
    assert pack.standing["revoke"] == ["root"] and pack.standing["claim"] == ["supplier"]


def test_what_a_row_does_not_say_asks_for_nothing_more(tmp_path: Path) -> None:
    """Defaults are filled in, so that the charter holds the row in full."""
    path = tmp_path / "mine.toml"
    path.write_text(ROW, "utf-8")
    row = read_pack(path).requirements[0]
    assert row | {"text": ""} == {
        "id": "signed", "text": "", "kind": "claim", "count": 1, "from": "any", "distinct": "operators", "where": [],
        "tools": 0, "max_age_days": None, "bound": [], "when": {"criticality": 0, "human": []}, "owed_by": "supplier",
        "accountable": "official", "principle": ["B"], "serves": [], "waiver": None,
    }  # fmt: skip
    assert read_pack(path).red_lines == []


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("count = 1", "", "count"),
        ("count = 1", 'count = "one"', "count"),
        ("count = 1", "count = -1", "count"),
        ("count = 1", "count = 1\nmax_age = 3", "max_age"),
        ("count = 1", 'count = 1\nbound = [{ field = "a" }]', "op"),
        ("count = 1", 'count = 1\nwhere = "always"', "where"),
        ("count = 1", "count = 1\nwhen = { criticality = 0, humans = [] }", "humans"),
        ('title = "Mine"', "", "title"),
        ("[[requirement]]", "[[requirements]]", "requirements"),
    ],
)
def test_a_row_that_says_something_else_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    """File, row and field."""
    path = tmp_path / "mine.toml"
    path.write_text(ROW.replace(old, new), "utf-8")
    with pytest.raises(BadPack, match=named) as caught:
        read_pack(path)
    assert caught.value.message.startswith(str(path))


def test_the_table_is_aligned_and_complete() -> None:
    """Each row is one line under the headings; each red line says when and why."""
    pack = read_pack()
    lines = render_table(pack.requirements, pack.red_lines).splitlines()
    assert lines[0].split("  ")[0] == "criticality"
    column = lines[0].index("requirement")
    assert [line[column:].split(" ")[0] for line in lines[1:15]] == [row["id"] for row in pack.requirements]
    assert "  no-lone-machine   never when criticality >= 3 and human == out" in lines
    three = next(line for line in lines if "three-inspections" in line)
    assert "3 operators, 2 tools" in three and "30 d" in three and "verdict == nothing-found" in three


def test_the_markdown_table_holds_the_same_cells() -> None:
    """A pipe in a text does not end a cell."""
    pack = read_pack()
    red = [dict(pack.red_lines[0], text="a | b")]
    text = render_markdown(pack.requirements, red)
    assert text.count("\n| from ") == 14
    assert "a \\| b" in text


def pack(name: str, *ids: str, count: int = 1, standing: dict[str, list[str]] | None = None) -> Pack:
    """A pack of rows that differ only in id and *count*."""
    row = read_pack().requirements[0]
    rows = [row | {"id": id, "count": count} for id in ids]
    return Pack(name, f"Title of {name}", rows, [], standing or {"claim": ["supplier"]})


def test_packs_make_one_table() -> None:
    """All rows in order, one that both hold alike once, roles of either."""
    both = combined([pack("one", "a", "b"), pack("two", "b", "c", standing={"recall": ["official"]})])
    assert [row["id"] for row in both.requirements] == ["a", "b", "c"]
    assert both.standing == {"claim": ["supplier"], "recall": ["official"]}
    assert (both.name, both.title) == ("one + two", "Title of one; Title of two")


def test_packs_that_say_different_things_are_refused_with_every_id() -> None:
    """One id with two meanings, or one kind with two lists of roles, and the packs that say so."""
    other = pack("two", "a", "b", count=2, standing={"claim": ["official"]})
    with pytest.raises(PacksConflict) as caught:
        combined([pack("one", "a", "b"), other])
    named = "a (one, two), b (one, two), standing of claim (one, two)"
    assert caught.value.message == f"packs say different things: {named}"


def test_a_red_line_and_a_requirement_of_one_id_conflict() -> None:
    """They are two things, whatever they hold."""
    line = read_pack().red_lines[0]
    red = Pack("two", "", [], [line | {"id": "a"}], {})
    with pytest.raises(PacksConflict, match=r"a \(one, two\)"):
        combined([pack("one", "a"), red])


def test_the_shipped_packs_can_stand_together() -> None:
    """No two of them say different things under one id."""
    together = find_packs(SHIPPED)
    assert len(together.requirements) == sum(len(shipped_pack(name).requirements) for name in SHIPPED)


def test_a_pack_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A name that is neither shipped nor a file."""
    with pytest.raises(BadPack, match="aliance: No such file"):
        find_packs(["aliance"])
    with pytest.raises(BadPack, match="aliance: no such pack"):
        shipped_pack("aliance")
