"""The alliance pack as people read it, and as a charter holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.policy.pack import BadPack, read_pack, render_markdown, render_table

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
    """Ten rows over four criticalities, four red lines, every principle but none invented."""
    pack = read_pack()
    rows = {row["id"]: row for row in pack.requirements}
    assert [row["when"]["criticality"] for row in pack.requirements] == [0, 0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert [line["id"] for line in pack.red_lines] == ["hidden-code", "recalled", "no-lone-machine", "reviewed-against"]
    assert {letter for row in pack.requirements for letter in row["principle"]} == set("ABCDEF")
    assert rows["supplier-claim"]["from"] == "supplier"
    assert rows["two-inspections"] == {
        "id": "two-inspections", "kind": "inspection", "count": 2, "from": "member", "distinct": "operators",
        "text": "Two members that do not share an operator have looked, within the last quarter.", "where": [],
        "tools": 0, "max_age_days": 90, "bound": [{"field": "verdict", "op": "==", "value": "nothing-found"}],
        "when": {"criticality": 1, "human": []}, "owed_by": "members", "accountable": "evaluator", "principle": ["D"],
        "serves": [], "waiver": None,
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
    assert [line[column:].split(" ")[0] for line in lines[1:11]] == [row["id"] for row in pack.requirements]
    assert "  no-lone-machine   never when criticality >= 3 and human == out" in lines
    three = next(line for line in lines if "three-inspections" in line)
    assert "3 operators, 2 tools" in three and "30 d" in three and "verdict == nothing-found" in three


def test_the_markdown_table_holds_the_same_cells() -> None:
    """A pipe in a text does not end a cell."""
    pack = read_pack()
    red = [dict(pack.red_lines[0], text="a | b")]
    text = render_markdown(pack.requirements, red)
    assert text.count("\n| from ") == 10
    assert "a \\| b" in text
