"""What if: supposed evidence, bad news and rules go through the real decision, and never pass for the real thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from charters import SECRET
from decisions import RELEASE, TRIAGE, Paper
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.charter.charter import BadCharter
from watchword.errors import WatchwordError
from watchword.policy.explain import explanation
from watchword.policy.hypothesis import BadHypothesis, Supposed, World, apply, is_supposed, read_what_if, suppose
from watchword.policy.table import decide
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339


def read(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "if.toml"
    path.write_text(text, "utf-8")
    return read_what_if(path)


def world_of(paper: Paper) -> World:
    return World(paper.charter, paper.view(), paper.facts())


def decided(paper: Paper, then: World) -> dict[str, Any]:
    return decide(then.charter, then.view, then.facts, rfc3339(paper.now), RELEASE, TRIAGE)


def test_supposed_evidence_counts_and_says_that_it_is_supposed(tmp_path: Path) -> None:
    """The row is met by it, and in the explanation it stands at no place of any ledger."""
    paper = Paper()
    paper.sound()
    paper.statements = [one for one in paper.statements if one.signed.statement.kind != "data-screening"]
    asked = read(tmp_path, '[[statement]]\nkind = "data-screening"\nissuer = "DELTA"\n')
    then = apply(world_of(paper), asked, RELEASE, paper.now)
    decision = decided(paper, then)
    assert (paper.decide()["verdict"], decision["verdict"]) == ("refused", "admitted")
    explained = explanation(then.charter, then.facts, decision, TRIAGE)
    row = next(row for row in explained["requirements"] if row["id"] == "data-accounted")
    assert [one["locator"] for one in row["evidence"]] == ["(supposed)"]
    assert [is_supposed(one.signed) for one in then.facts.statements].count(True) == 1


def test_bad_news_is_supposed_as_if_it_had_been_received(tmp_path: Path) -> None:
    """A recall of the supplier refuses; nothing is added to what is really held."""
    paper = Paper()
    paper.sound()
    text = '[[notice]]\nkind = "recall"\nissuer = "DELTA"\nfields = { target = "supplier:AQUILA" }\n'
    then = apply(world_of(paper), read(tmp_path, text), RELEASE, paper.now)
    assert decided(paper, then)["verdict"] == "refused"
    assert paper.loose == [] and paper.decide()["verdict"] == "admitted"


def test_supposing_does_not_cure_a_stale_ledger() -> None:
    """A thought of BRAVO's evidence does not say that BRAVO was heard from."""
    paper = Paper()
    paper.sound()
    view = paper.view()
    del view.heads["bravo.example/ledger"]  # type: ignore[attr-defined]
    then = suppose(
        World(paper.charter, view, paper.facts()), [Supposed("inspection", "BRAVO", {})], RELEASE, paper.now
    )
    assert decided(paper, then)["stale"] == ["bravo.example/ledger"]


def test_rules_come_go_and_take_the_place_of_others(tmp_path: Path) -> None:
    """A row of the same id is replaced where it stood, a new one stands last, one left out is gone."""
    paper = Paper()
    text = (
        'without = ["bill-of-materials", "recalled"]\n'
        '[[requirement]]\nid = "inspected"\ntext = ""\nkind = "inspection"\ncount = 4\nowed_by = "members"\n'
        'accountable = "evaluator"\nprinciple = []\n'
        '[[requirement]]\nid = "new"\ntext = ""\nkind = "review"\ncount = 1\nowed_by = "members"\n'
        'accountable = "official"\nprinciple = []\n'
    )
    asked = read(tmp_path, text)
    charter = apply(world_of(paper), asked, RELEASE, paper.now).charter
    ids = [row.id for row in charter.requirements]
    assert ids[0:2] == ["supplier-claim", "inspected"] and ids[-1] == "new" and "bill-of-materials" not in ids
    assert charter.requirements[1].count == 4
    assert "recalled" not in [line.id for line in charter.red_lines]
    assert charter.digest != paper.charter.digest
    assert asked.told() == ["row inspected", "row new", "without bill-of-materials", "without recalled"]


def test_a_pack_takes_the_place_of_the_whole_table(tmp_path: Path) -> None:
    """Rows and red lines of the charter are gone; the members stay."""
    (tmp_path / "one.toml").write_text(
        'name = "one"\ntitle = "One row"\nstanding = {}\n[[requirement]]\nid = "only"\ntext = ""\nkind = "claim"\n'
        'count = 1\nowed_by = "supplier"\naccountable = "supplier"\nprinciple = []\n',
        "utf-8",
    )
    paper = Paper()
    charter = apply(world_of(paper), read(tmp_path, 'pack = "one.toml"\n'), RELEASE, paper.now).charter
    assert [row.id for row in charter.requirements] == ["only"] and charter.red_lines == ()
    assert charter.members == paper.charter.members


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[statement]]\nkind = "rumour"\nissuer = "ALFA"\n', "rumour: not a kind of statement"),
        ('[[statement]]\nkind = "claim"\nissuer = "GOLF"\n', "GOLF: not a party of Test Alliance"),
        ('[[statement]]\nkind = "claim"\nissuer = "ALFA"\n', "claim: nobody of ALFA may say this"),
        ('[[statement]]\nkind = "review"\nissuer = "ALFA"\nfields = { of = "maybe" }\n', "review by ALFA: review: "),
        ('[[statement]]\nkind = "review"\nissuer = "ALFA"\ndays_old = 9999999\n', "review by ALFA: "),
        ('without = ["nothing"]\n', "without nothing: the charter has no such row"),
        ('verdict = "admitted"\n', "if.toml: Object contains unknown field `verdict`"),
        ('[[notice]]\nkind = "claim"\nissuer = "ALFA"\n', "if.toml: claim is not a notice"),
        ('[[red_line]]\nid = "x"\n', "if.toml: red line 1 (x): "),
        ("[[statement]]\n" * 1001, "if.toml: "),
    ],
)
def test_what_cannot_be_supposed_is_named(tmp_path: Path, text: str, message: str) -> None:
    """File and part, or kind and party; nothing is guessed."""
    paper = Paper()
    with pytest.raises((BadHypothesis, BadCharter, WatchwordError)) as raised:
        apply(world_of(paper), read(tmp_path, text), RELEASE, paper.now)
    assert message in str(raised.value)


def test_the_secret_of_the_alliance_stays_what_it_was() -> None:
    """Names of bad news are looked up in a supposed world as in the real one."""
    paper = Paper()
    assert suppose(world_of(paper), [], RELEASE, paper.now).facts.secret == SECRET


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["inspection", "data-screening", "recall"]), max_size=5), st.booleans())
def test_what_is_supposed_is_found_as_if_it_had_been_read(kinds: list[str], other: bool) -> None:
    """The list by release that is carried on is the one made anew. Fails (seen) where an addition is left out."""
    paper = Paper()
    paper.sound()
    about = Subject("another 1.0", "sha256:" + "5d" * 32) if other else RELEASE
    target = {"target": "supplier:AQUILA"}
    said = [Supposed(kind, "DELTA", target if kind == "recall" else {}, 0) for kind in kinds]
    then = suppose(suppose(world_of(paper), said[:2], about, paper.now), said[2:], about, paper.now).facts
    assert dict(then.first_about) == dict(replace(then).first_about)
    assert [*then.statements] == sorted(then.statements, key=lambda fact: (fact.origin, fact.index))
