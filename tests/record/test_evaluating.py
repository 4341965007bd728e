"""Plans, draws and second opinions between members: what nobody can choose, and what everybody can check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk
from evaluate.planned import plan

from watchword.evaluate.plan import Plan
from watchword.evaluate.run import Done, Result, Row
from watchword.node.naming import TooWide
from watchword.record.evaluating import (
    NoPlan,
    NotDrawn,
    commit_plan,
    compare_replay,
    compare_replication,
    draw_again,
    draw_of,
    find_plan,
    record_evaluation,
    record_opinion,
    tool_of,
)
from watchword.statements.statement import Statement


@pytest.fixture
def three(tmp_path: Path) -> Any:
    with quick_disk():
        made = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO", "CHARLIE"), witness=2, ratify=2)
        made.sync()
        yield made
        made.close()


def planned(**changes: Any) -> Plan:
    return plan(subject={"release": RELEASE.digest}, **changes)


def result(of: Plan, seed: str, fell: int) -> Result:
    """Twenty instances, the first *fell* of which fell."""
    rows = [Row(index, str(index), "0", True, index < fell) for index in range(20)]
    return Result(of, seed, Done(rows, 20, 20), {"python": "3"}, ())


def say_something(alliance: Alliance, name: str) -> None:
    alliance.nodes[name].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.nodes[name].publish()
    alliance.sync()


def test_a_plan_is_drawn_from_what_was_not_there_yet(three: Alliance) -> None:
    """No draw before another member recorded something more; then every member computes the same one."""
    alfa = three.nodes["ALFA"]
    done = commit_plan(alfa, planned(), RELEASE, draw_from="BRAVO")
    committed = find_plan(alfa, planned())
    assert committed.signed.statement.id == done.id
    with pytest.raises(NotDrawn, match="not cosigned"):
        draw_of(alfa, committed)
    alfa.publish()
    three.sync()
    with pytest.raises(NotDrawn, match="entry 1 of BRAVO's ledger, and 0 are cosigned here"):
        draw_of(alfa, committed)
    say_something(three, "BRAVO")
    draws = [draw_of(node, node.locate(done.id)) for node in three.nodes.values()]
    assert len(set(draws)) == 1
    say_something(three, "BRAVO")  # what comes later changes nothing
    assert draw_of(alfa, committed) == draws[0]


def test_the_draw_is_not_from_ones_own_operator(three: Alliance) -> None:
    """A member cannot name its own ledger; alone, it draws from it, and the draw says so."""
    with pytest.raises(NotDrawn, match="another operator"):
        commit_plan(three.nodes["ALFA"], planned(), RELEASE, draw_from="ALFA")


def test_alone_the_draw_is_ones_own_and_says_so(tmp_path: Path) -> None:
    """An alliance of one can evaluate; that nobody else had a hand in the draw is told."""
    with quick_disk():
        one = make_alliance(tmp_path / "alone", ("ALFA",))
        commit_plan(one.nodes["ALFA"], planned(), RELEASE)
        one.nodes["ALFA"].publish()
        assert draw_of(one.nodes["ALFA"], find_plan(one.nodes["ALFA"], planned())).own
        one.close()


def test_a_plan_that_was_not_committed_has_no_draw(three: Alliance) -> None:
    """Another threshold is another plan."""
    commit_plan(three.nodes["ALFA"], planned(), RELEASE)
    with pytest.raises(NoPlan, match="not committed"):
        find_plan(three.nodes["ALFA"], planned(metric={"threshold": "0.4"}))


def test_a_commitment_is_ones_own_and_about_its_release(three: Alliance) -> None:
    """What BRAVO committed is no plan of ALFA's, nor is a plan about one release a commitment about another."""
    with pytest.raises(ValueError, match="about another release"):
        commit_plan(three.nodes["ALFA"], planned(), replace(RELEASE, digest="sha256:" + "77" * 32))
    commit_plan(three.nodes["BRAVO"], planned(), RELEASE, draw_from="ALFA")
    three.nodes["BRAVO"].publish()
    say_something(three, "ALFA")
    assert "plan" in {one.statement.kind for one in three.nodes["ALFA"].statements()}
    assert find_plan(three.nodes["BRAVO"], planned()).origin == "bravo.example/ledger"
    with pytest.raises(NoPlan):
        find_plan(three.nodes["ALFA"], planned())


def evaluated(alliance: Alliance, fell: int = 4) -> tuple[Statement, Any]:
    """ALFA's evaluation of twenty, held everywhere, with its draw."""
    alfa = alliance.nodes["ALFA"]
    commit_plan(alfa, planned(), RELEASE, draw_from="BRAVO")
    alfa.publish()
    alliance.sync()
    say_something(alliance, "BRAVO")
    committed = find_plan(alfa, planned())
    draw = draw_of(alfa, committed)
    done = record_evaluation(alfa, result(planned(), draw.seed, fell), committed, draw)
    alfa.publish()
    alliance.sync()
    return alfa.locate(done.id).signed.statement, draw


def test_an_evaluation_says_what_anybody_needs_to_run_it_again(three: Alliance) -> None:
    """Plan, draw, seed, counts with their interval, flags and environment; k of robust accuracy is what stood."""
    statement, draw = evaluated(three)
    said = statement.predicate
    assert (said["k"], said["n"], said["low"], said["high"]) == (16, 20, "0.5633", "0.9427")
    assert (said["seed"], said["drawn"], said["flags"]) == (draw.seed, draw.value(), "")
    assert said["threat"]["capability"] == "Linf 0.1 of range 1; any number of queries; not adaptive"
    assert three.nodes["BRAVO"].locate(said["plan"]).signed.statement.kind == "plan"


def test_a_run_of_another_draw_is_not_recorded(three: Alliance) -> None:
    """Private rehearsals do not help: only the seed of the draw is signed. Fails when the seed is not compared."""
    evaluated(three)
    alfa = three.nodes["ALFA"]
    committed = find_plan(alfa, planned())
    with pytest.raises(ValueError, match="another plan or draw"):
        record_evaluation(alfa, result(planned(), "sha256:" + "0" * 64, 0), committed, draw_of(alfa, committed))
    with pytest.raises(ValueError, match="another plan or draw"):
        draw = draw_of(alfa, committed)
        record_evaluation(alfa, result(planned(n=19), draw.seed, 0), committed, draw)


def test_a_replay_names_the_instances_that_differ(three: Alliance) -> None:
    """Equal counts are not enough: each instance is compared with the report that the evaluation carries."""
    statement, draw = evaluated(three)
    bravo = three.nodes["BRAVO"]
    same = compare_replay(bravo, statement, result(planned(), draw.seed, 4))
    assert (same.agrees, same.differs) == (True, 0)
    other = result(planned(), draw.seed, 4)
    rows = [replace(row, fell=row.index in (0, 1, 2, 9)) for row in other.done.rows]
    differs = compare_replay(bravo, statement, replace(other, done=replace(other.done, rows=rows)))
    assert (differs.agrees, differs.differs) == (False, 2)
    assert differs.reason == "2 of 20 instances came out otherwise: 3, 9"


@pytest.mark.parametrize(("k", "agrees"), [(16, True), (9, True), (8, True), (7, False), (2, False)])
def test_a_replication_is_tested_at_its_share(three: Alliance, k: int, agrees: bool) -> None:
    """Two others share 0.05, and each halves its part: 7 of 20 against 16 (p = 0.010) is at odds at 0.0125, 8 is
    not."""
    statement, _ = evaluated(three)
    compared = compare_replication(three.nodes["BRAVO"], statement, k, 20)
    assert (compared.agrees, compared.alpha) == (agrees, pytest.approx(0.0125))


def test_nobody_uses_up_the_share_of_another(three: Alliance) -> None:
    """However often CHARLIE replicates and agrees, BRAVO's first dispute is heard at the same level. Fails when all
    replications are counted."""
    statement, draw = evaluated(three)
    charlie = three.nodes["CHARLIE"]
    how: dict[str, Any] = {
        "of": "replication", "sharing": "shared", "draw": draw, "n": 20, "k": 16, "seed": draw.seed,
        "tool": tool_of(planned()), "flags": "", "report": None,
    }  # fmt: skip
    for _ in range(2):
        record_opinion(charlie, charlie.locate(statement.id), compare_replication(charlie, statement, 16, 20), **how)
    charlie.publish()
    three.sync()
    assert compare_replication(three.nodes["BRAVO"], statement, 7, 20).alpha == pytest.approx(0.0125)
    assert compare_replication(charlie, statement, 7, 20).alpha == pytest.approx(0.025 / 12)


def test_a_run_recorded_before_is_not_recorded_again(three: Alliance) -> None:
    """The same plan and draw give the same counts: the first statement is returned."""
    statement, draw = evaluated(three)
    alfa = three.nodes["ALFA"]
    again = record_evaluation(alfa, result(planned(), draw.seed, 4), find_plan(alfa, planned()), draw)
    assert again.id == statement.id


def test_a_replication_is_drawn_from_a_third_member(three: Alliance) -> None:
    """BRAVO's fresh sample comes from a head that is neither its own nor that of who evaluated."""
    evaluated(three)
    say_something(three, "CHARLIE")
    bravo = three.nodes["BRAVO"]
    found = bravo.locate("ALFA#1")
    draw = draw_again(bravo, found, "BRAVO")
    assert draw.origin == bravo.charter.member("CHARLIE").origins["ledger"]
    assert draw.seed != found.signed.statement.predicate["seed"]
    assert draw_again(three.nodes["CHARLIE"], found, "BRAVO", (draw.origin, draw.size)) == draw


def test_an_opinion_reaches_every_member_and_no_further_than_the_evaluation(three: Alliance) -> None:
    """It is a statement like any other, held by all; it cannot be given to more than the evaluation was."""
    statement, draw = evaluated(three)
    bravo = three.nodes["BRAVO"]
    found = bravo.locate(statement.id)
    compared = compare_replay(bravo, statement, result(planned(), draw.seed, 4))
    how: dict[str, Any] = {
        "of": "replay", "sharing": "shared", "draw": draw, "n": 20, "k": 16, "seed": draw.seed,
        "tool": tool_of(planned()), "flags": "", "report": None,
    }  # fmt: skip
    with pytest.raises(TooWide):
        record_opinion(bravo, found, compared, scope="public", **how)
    done = record_opinion(bravo, found, compared, **how)
    bravo.publish()
    three.sync()
    for node in three.nodes.values():
        said = node.locate(done.id).signed.statement.predicate
        assert (said["verdict"], said["differs"], said["statement"]) == ("agree", 0, statement.id)
