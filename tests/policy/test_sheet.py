"""Packs as CSV and Markdown tables, and back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.policy import sheet
from watchword.policy.pack import SHIPPED, Pack, checked_line, checked_row, find_packs, shipped_pack
from watchword.policy.sheet import BadSheet

ODD = ["", " a ", "=1+1", "'", "a|b", "\\n", "a\nb", "\r", "\x7f", '"', "<b>", "- x", "\\|", "](x"]
TEXT = st.text(max_size=12) | st.sampled_from(ODD)
WORDS = st.lists(TEXT, max_size=3)
SCALAR = TEXT | st.integers(-(2**53), 2**53) | st.booleans()
VALUE = st.none() | SCALAR | st.lists(SCALAR, max_size=2)
CONDITION = st.fixed_dictionaries(
    {"field": TEXT, "op": st.sampled_from(["==", "<=", "in", "any"]) | TEXT, "value": VALUE}
)
CONDITIONS = st.lists(CONDITION, max_size=2)
COUNT = st.integers(0, 2**53 - 1)
ROW = st.fixed_dictionaries(
    {"id": TEXT, "text": TEXT, "kind": TEXT, "count": COUNT, "owed_by": TEXT, "accountable": TEXT, "principle": WORDS},
    optional={
        "from": TEXT, "distinct": TEXT, "where": CONDITIONS, "tools": COUNT, "max_age_days": COUNT, "bound": CONDITIONS,
        "when": st.fixed_dictionaries(
            {"criticality": COUNT, "human": WORDS}, optional={"release": st.sampled_from(["files", "endpoint"])}
        ),
        "serves": WORDS,
        "waiver": st.none() | st.fixed_dictionaries({"count": COUNT, "role": TEXT}),
    },
)  # fmt: skip
LINE = st.fixed_dictionaries(
    {"id": TEXT, "text": TEXT, "forbid": CONDITIONS, "accountable": TEXT, "principle": WORDS},
    optional={
        "serves": WORDS, "evidence": st.none() | st.fixed_dictionaries({"kind": TEXT, "where": CONDITIONS}),
    },
)  # fmt: skip
PACKS = st.builds(
    lambda name, title, rows, lines, standing: Pack(
        name, title, [checked_row(row, "x") for row in rows], [checked_line(line, "x") for line in lines], standing
    ),
    TEXT, TEXT, st.lists(ROW, max_size=2), st.lists(LINE, max_size=2), st.dictionaries(TEXT, WORDS, max_size=2),
)  # fmt: skip


def again(value: dict[str, Any]) -> Pack:
    """The pack of what a file holds."""
    rows = [checked_row(row, "x") for row in value.get("requirement", [])]
    lines = [checked_line(line, "x") for line in value.get("red_line", [])]
    return Pack(value["name"], value["title"], rows, lines, value["standing"])


@settings(max_examples=200, deadline=None)
@given(PACKS)
def test_nothing_is_lost_in_any_form(pack: Pack) -> None:
    """TOML, CSV and Markdown each read back as the same pack, to the last character and in order."""
    assert again(tomllib.loads(sheet.toml(pack))) == pack
    assert again(sheet.read_csv(sheet.csv(pack), "x")) == pack
    assert again(sheet.read_markdown(sheet.markdown(pack), "x")) == pack


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_survives_a_spreadsheet_and_a_document(name: str, tmp_path: Path) -> None:
    """Through files: pack, CSV, Markdown, TOML."""
    pack = shipped_pack(name)
    for ending, write in ((".csv", sheet.csv), (".md", sheet.markdown), (".toml", sheet.toml)):
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(write(pack).encode())
        assert find_packs([str(path)]) == pack


@settings(max_examples=100)
@given(PACKS)
def test_no_cell_is_a_formula(pack: Pack) -> None:
    """No spreadsheet runs what a pack's author wrote; fails when the guard is removed."""
    import csv
    import io

    for row in csv.reader(io.StringIO(sheet.csv(pack).removeprefix("\ufeff"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


PARTS = ["what,id\n", "pack", "|", "| requirement |\n", "|-|\n", "x,", '"', "\n"]


@settings(max_examples=200)
@given(st.text(max_size=80) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_any_text_is_a_table_or_a_named_error(text: str) -> None:
    """A file never crashes the reader, and the error names it."""
    for read in (sheet.read_csv, sheet.read_markdown):
        try:
            read(text, "some.file")
        except BadSheet as error:
            assert error.message.startswith("some.file")


CSV = """what,id,text,kind,how many,never when,owed by,accountable,principle,roles
pack,mine,Mine,,,,,,,
standing,claim,,,,,,,,supplier
requirement,signed,It is signed for.,claim,1,,supplier,official,B,
red line,lone,Alone.,,,human == out,,official,E,
"""


def test_a_spreadsheet_may_separate_columns_as_it_likes() -> None:
    """Semicolons and tabs are read too, and columns in any order."""
    pack = again(sheet.read_csv(CSV, "x"))
    assert pack.requirements[0]["kind"] == "claim" and pack.red_lines[0]["id"] == "lone"
    for other in (";", "\t"):
        assert again(sheet.read_csv(CSV.replace(",", other), "x")) == pack
    turned = "\n".join(",".join(reversed(line.split(","))) for line in CSV.splitlines())
    assert again(sheet.read_csv(turned, "x")) == pack


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("what,id,text", "what,id,txt", "line 1: no column is called 'txt'"),
        ("what,id,text,kind", "what,id,text,text", "line 1: the column text stands twice"),
        ("requirement,signed", "requirment,signed", "line 4: a row is"),
        ("claim,1,", "claim,one,", "line 4, how many: 'one' is no whole number"),
        ("human == out", "human = out", "line 5, never when: '= out'"),
        ("red line,lone,Alone.,,", "red line,lone,Alone.,claim,", "line 5, kind: a red line has no such column"),
        ("pack,mine,Mine,,,,,,,\n", "", "0 rows say which pack"),
        ("standing,claim,,,,,,,,supplier\n", "standing,claim,,,,,,,,x\n" * 2, "line 4: the standing of claim"),
        ("signed,It is", 'signed,"It is', "line"),
    ],
)
def test_a_cell_that_says_something_else_is_named(old: str, new: str, named: str) -> None:
    """File, line and column."""
    with pytest.raises(BadSheet, match=named):
        sheet.read_csv(CSV.replace(old, new), "mine.csv")


def test_a_document_may_say_more_around_its_tables() -> None:
    """Prose and tables of other things are left aside; a cell too many is not."""
    text = sheet.markdown(again(sheet.read_csv(CSV, "x")))
    more = f"Some words.\n\n| who | when |\n|---|---|\n| us | now |\n\n{text}\nThe end.\n"
    assert again(sheet.read_markdown(more, "x")) == again(sheet.read_csv(CSV, "x"))
    with pytest.raises(BadSheet, match="line 9: 3 cells, 2 headings"):
        sheet.read_markdown(text.replace("| claim | supplier |", "| claim | supplier | x |"), "x")
