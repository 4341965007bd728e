"""Norms as data, and which of their entries a table speaks to."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from watchword.policy.coverage import board, coverage, render_markdown, render_text
from watchword.policy.norm import BadNorm, Entry, Norm, read_norm, shipped
from watchword.policy.pack import SHIPPED, find_packs, shipped_pack
from watchword.report.board import render

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).resolve().parents[2].parent / "shared" / "vectors"))
NORM = Norm(
    id="n-1", title="A norm", publisher="somebody", date="2024-01-01", source="x", numbering="x",
    digest="sha256:" + "0" * 64, digest_of="x",
    entry=[Entry(id="A", title="first", where="1", text="one"), Entry(id="B", title="second", where="2", text="two")],
)  # fmt: skip


def row(id: str, kind: str, serves: list[str], principle: tuple[str, ...] = ()) -> dict[str, Any]:
    """As much of a row as coverage reads."""
    return {"id": id, "kind": kind, "serves": serves, "principle": list(principle), "when": {"criticality": 1}}


def test_what_nothing_serves_is_listed() -> None:
    """The entries that no row names are told apart from those that one does, and the evidence is named."""
    covered = coverage([row("r", "claim", ["n-1:A"])], [], [NORM])
    assert covered["norms"][0]["nothing"] == ["n-1:B"]
    assert covered["norms"][0]["entries"][0]["requirements"] == [{"id": "r", "kind": "claim", "criticality": 1}]
    assert covered["norms"][0]["entries"][0]["evidence"] == ["claim"]
    assert "1 of 2 entries are served; nothing serves the other 1" in render_text(covered)


def test_a_row_cannot_serve_what_no_norm_has() -> None:
    """A mistyped id is shown as unknown and serves nothing."""
    covered = coverage([row("r", "claim", ["n-1:C", "n-2:A"])], [], [NORM])
    assert covered["unknown"] == [{"row": "r", "id": "n-1:C"}, {"row": "r", "id": "n-2:A"}]
    assert covered["norms"][0]["nothing"] == ["n-1:A", "n-1:B"]
    assert "r serves n-1:C, which no norm here has" in render_text(covered)


def test_a_red_line_serves_without_evidence() -> None:
    """An entry that only a red line names is served, by no evidence."""
    covered = coverage([], [row("line", "", ["n-1:A"])], [NORM])
    entry = covered["norms"][0]["entries"][0]
    assert (entry["red_lines"], entry["evidence"], entry["requirements"]) == (["line"], [], [])


def test_a_norm_that_no_row_names_is_named_as_silent() -> None:
    """It is not shown with a full list unless asked for, and never forgotten."""
    assert coverage([], [], [NORM])["silent"] == ["n-1"]
    assert coverage([], [], [NORM], ["n-1"])["norms"][0]["nothing"] == ["n-1:A", "n-1:B"]
    assert coverage([row("r", "claim", ["n-1:A"])], [], [NORM, *shipped()], ["atlas-5.6.0"])["silent"] == [
        "nato-pru-2021", "deploy-securely-2024", "ai-data-security-2025",
    ]  # fmt: skip
    with pytest.raises(BadNorm, match="n-2: no such norm"):
        coverage([], [], [NORM], ["n-2"])


def test_the_letters_of_a_row_are_the_principles_of_2021() -> None:
    """A row's principle C speaks to nato-pru-2021:C and to nothing else."""
    covered = coverage([row("r", "claim", [], ("C",))], [], shipped())
    assert [norm["id"] for norm in covered["norms"]] == ["nato-pru-2021"]
    assert covered["norms"][0]["nothing"] == [f"nato-pru-2021:{letter}" for letter in "ABDEF"]


def test_a_page_of_foreign_words_runs_nothing() -> None:
    """What a row is called cannot become markup, on the page or in Markdown."""
    drawn = board(coverage([row("<script>|x", "claim", ["n-1:A"])], [], [NORM]), "us")
    assert "<script" not in render(drawn) and "&lt;script&gt;" in render(drawn)
    text = render_markdown(coverage([row("a|b", "claim", ["n-1:A"])], [], [NORM]), "us")
    assert "a\\|b" in text


def test_the_shipped_pack_names_only_entries_that_are_there() -> None:
    """No pack names an id that its norm does not have."""
    for name in SHIPPED:
        pack = shipped_pack(name)
        assert coverage(pack.requirements, pack.red_lines, shipped())["unknown"] == [], name


def test_nobody_pretends_to_serve_what_no_evidence_shows() -> None:
    """Bias has no evidence, nor have access, networks, logs and training: all packs together leave them to nothing."""
    pack = find_packs(SHIPPED)
    covered = coverage(pack.requirements, pack.red_lines, shipped())
    nothing = {id for norm in covered["norms"] for id in norm["nothing"]}
    where = ("networks", "access", "logging", "training", "model-weights", "availability", "delete")
    assert {"nato-pru-2021:F", *(f"deploy-securely-2024:{id}" for id in where)} <= nothing
    assert len(nothing) == 1 + 19 + 8 + 29


@pytest.mark.parametrize(("id", "count"), [("deploy-securely-2024", 15), ("ai-data-security-2025", 10)])
def test_the_titles_of_a_norm_are_as_its_digest_says(id: str, count: int) -> None:
    """Changing, adding or dropping a title is seen: they are what the digest is of."""
    norm = next(one for one in shipped() if one.id == id)
    titles = "".join(dict.fromkeys(entry.title for entry in norm.entry)).lower()
    letters = "".join(c for c in titles if c.isascii() and c.isalnum())
    assert "sha256:" + hashlib.sha256(letters.encode()).hexdigest() == norm.digest
    assert len({entry.title for entry in norm.entry}) == count


def test_the_mitigations_are_those_of_the_published_file() -> None:
    """Ids and names are ATLAS's, all of them, from the very file whose digest stands in the norm."""
    path = VECTORS / "reports" / "mitre_atlas" / "ATLAS.yaml"
    if not path.is_file():
        pytest.skip("reports/mitre_atlas is absent")
    data = path.read_bytes()
    norm = next(one for one in shipped() if one.id == "atlas-5.6.0")
    assert norm.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    theirs = yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert [(e.id, e.title) for e in norm.entry] == [
        (m["id"], m["name"]) for m in theirs["matrices"][0]["mitigations"]
    ]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('id = "A"', 'id = "B"', "the entry B stands twice"),
        ('id = "A"', 'id = "A B"', "id"),
        ("digest =", "digests =", "digest"),
        ('text = "one"', "", "text"),
        ('date = "2024-01-01"', 'date = "2024"', "date"),
    ],
)
def test_a_norm_file_of_another_form_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    """The file is named, and what is wrong with it."""
    path = tmp_path / "n.toml"
    text = f"""id = "n-1"
title = "A norm"
publisher = "somebody"
date = "2024-01-01"
source = "x"
numbering = "x"
digest = "sha256:{"0" * 64}"
digest_of = "x"
[[entry]]
id = "A"
title = "first"
where = "1"
text = "one"
[[entry]]
id = "B"
title = "second"
where = "2"
text = "two"
"""
    path.write_text(text, "utf-8")
    assert read_norm(path) == NORM
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BadNorm, match=named) as caught:
        read_norm(path)
    assert caught.value.message.startswith(str(path))
