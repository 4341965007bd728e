"""Figures of how people answer: counted from receipts and approvals, with intervals; of other members' people, none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate.gated import SLEW, Gated
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.gate.oversight import Figures, Given, Traffic, Waited, elsewhere, figures, in_words, state_of, traffic
from watchword.gate.oversight_page import board, render_text
from watchword.gate.receipts import parse_receipt
from watchword.report.board import markdown, render
from watchword.statements.canonical import canonical

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def answer(
    person: str, member: str, text: str = "approve", at_s: int = 0, took_s: int = 20, **more: Any
) -> Given:
    """One answer, asked *at_s* seconds after noon and signed *took_s* later."""
    asked = NOON + timedelta(seconds=at_s)
    how = {"ended": text not in ("approve", "escalate"), "warned": False, "probe": False} | more
    return Given(person, member, "commander", text, asked, asked + timedelta(seconds=took_s), **how)


def of(*given: Given, member: str = "ALFA", under_s: int = 10, waited: tuple[Waited, ...] = ()) -> dict[str, Figures]:
    """The figures of *given* by name, as ALFA sees them."""
    waits = waited or tuple(Waited("commander", one.asked, one.signed, "released", one.probe) for one in given)
    found = figures(Traffic(given, waits, 0), member, under_s)
    return {one.name: one for one in found}


def test_a_record_gives_times_answers_and_overrides(here: Gated) -> None:
    """Two holds at a real gate, one released after 30 and 50 seconds, one refused after 5: nothing else is counted."""
    first = here.held()
    here.clock.advance(30)
    here.approve(first, "BRAVO")
    here.clock.advance(20)
    here.approve(first, "CHARLIE")
    here.gate.release(first)
    second = here.held()
    here.clock.advance(5)
    here.gate.approve(here.approval(second, "BRAVO", "refuse"))
    here.ask()
    waiting = here.held()
    here.approve(waiting, "CHARLIE")
    alfa = here.at("ALFA")
    receipts = [parse_receipt(value, "receipt") for value in alfa.record_events()]
    found = traffic(receipts, lambda id: alfa.locate(id).signed.statement, lambda mandate, rule: "commander")
    assert [(one.member, one.answer, one.seconds, one.ended) for one in found.given] == [
        ("BRAVO", "approve", 30.0, False),
        ("CHARLIE", "approve", 50.0, False),
        ("BRAVO", "refuse", 5.0, True),
    ]
    assert [one.event for one in found.waited] == ["released", "refused"]
    pool, bravo, person = figures(found, "BRAVO", 10)
    assert [one.name for one in (pool, bravo, person)] == ["pool commander", "BRAVO", "commander of BRAVO"]
    assert pool.answers == (("approve", 2), ("refuse", 1))
    assert (pool.seconds.at, pool.seconds.low) == (30.0, None)  # type: ignore[union-attr]
    assert (bravo.overrides.at, round(bravo.overrides.low or 0, 3), bravo.overrides.n) == (0.5, 0.013, 2)
    assert (pool.people, pool.queue, pool.streak, pool.unanswered) == (2, 1, 2, 0)


def test_a_hold_that_nobody_answered_is_told(here: Gated) -> None:
    """What expired is counted for its pool, and so is how many waited at once."""
    for _ in range(3):
        here.held()
    here.clock.advance(301)
    here.ask()
    receipts = [parse_receipt(value, "receipt") for value in here.receipts()]
    found = figures(traffic(receipts, lambda id: None, lambda mandate, rule: "commander"), "ALFA", 10)
    assert [(one.unanswered, one.queue, one.seconds) for one in found] == [(3, 3, None)]


def test_personal_figures_stay_inside_the_member() -> None:
    """ALFA reads of its own people one by one, of BRAVO's only all together; fails without the comparison of names."""
    given = [answer("watch-1", "ALFA"), answer("watch-2", "ALFA")]
    given += [answer(f"watch-{n}", "BRAVO") for n in range(3)] + [answer("watch-1", "CHARLIE")]
    # Of CHARLIE's one person ALFA reads nothing: its figures would be his.
    assert sorted(of(*given)) == ["ALFA", "BRAVO", "pool commander", "watch-1 of ALFA", "watch-2 of ALFA"]
    assert "watch" not in render_text([of(*given)["BRAVO"]], [], "now", 3)


def test_a_member_reads_what_its_people_did_at_other_gates(here: Gated) -> None:
    """BRAVO has no record of ALFA's holds; its commander's approvals say when he was asked and when he signed."""
    hold = here.held()
    here.clock.advance(40)
    here.approve(hold, "BRAVO", "CHARLIE")
    statements = [one.statement for one in here.at("ALFA").statements()]
    found = figures(Traffic(elsewhere([*statements, *statements], "BRAVO"), (), 0), "BRAVO", 10)
    assert [(one.name, one.of[0], one.seconds.at) for one in found if one.seconds] == [
        ("BRAVO at ALFA", "at ALFA", 40.0),
        ("commander of BRAVO at ALFA", "at ALFA", 40.0),
    ]
    assert elsewhere(statements, "ALFA") == ()


def test_hasty_approvals_streaks_and_warnings_are_seen() -> None:
    """Nine approvals in two seconds each, two of them in spite of a warning, then one refusal."""
    hasty = [answer("p", "ALFA", at_s=60 * n, took_s=2, warned=n in (3, 4)) for n in range(9)]
    one = of(*hasty, answer("p", "ALFA", "wrong-target", at_s=4000))["p of ALFA"]
    assert (one.quick.at, one.quick.n, one.streak, one.busiest) == (1.0, 9, 9, 9)
    assert (one.warned.at, one.warned.n) == (1.0, 2)
    assert one.answers == (("approve", 9), ("wrong-target", 1))


def test_times_select_what_was_asked() -> None:
    """From and up to: a report of a week is not of the week before."""
    given = tuple(answer("p", "ALFA", at_s=60 * n) for n in range(10))
    waits = tuple(Waited("commander", one.asked, one.signed, "released", False) for one in given)
    since, until = NOON + timedelta(seconds=120), NOON + timedelta(seconds=300)
    pool = figures(Traffic(given, waits, 0), "ALFA", 10, since, until)[0]
    assert dict(pool.answers) == {"approve": 3}


def probed(caught: int, shown: int, ordinary: int = 10, people: int = 3) -> Figures:
    """A pool that caught *caught* of *shown* known-bad actions."""
    names = [f"p{n}" for n in range(people)]
    probes = [
        answer(names[n % people], "ALFA", "wrong-target" if n < caught else "approve", at_s=n, probe=True)
        for n in range(shown)
    ]
    return of(*probes, *(answer(names[n % people], "ALFA", at_s=n) for n in range(ordinary)))["pool commander"]


@pytest.mark.parametrize(
    ("caught", "shown", "people", "state"),
    [
        (36, 36, 3, "pass"),  # the fewest without a miss whose lower bound reaches 0.9
        (35, 35, 3, "too-few"),
        (18, 20, 3, "too-few"),
        (13, 20, 3, "fail"),
        (0, 0, 3, "no-probes"),
        (36, 36, 2, "withheld"),
    ],
)
def test_a_pool_passes_or_fails_only_when_the_interval_says_so(
    caught: int, shown: int, people: int, state: str
) -> None:
    """Against 0.9: by the lower bound yes, by the upper bound no, else too few; of two people nothing is said."""
    assert state_of(probed(caught, shown, people=people), "0.9") == state


def test_few_probes_are_called_few() -> None:
    """18 of 20 may be anything from 68 to 99 %, and the words say so."""
    pool = probed(18, 20)
    assert pool.vigilance is not None and pool.vigilance.detection is not None
    assert in_words(pool.vigilance) == (
        "caught 18 of 20: the true rate may be anything from 68 to 99 %; "
        "it takes about 100 probes to tell one person from another"
    )
    assert "100 probes" not in in_words(probed(95, 100).vigilance)  # type: ignore[arg-type]
    assert dict(pool.answers) == {"approve": 10}, "probes are no ordinary traffic"
    assert round(pool.vigilance.detection.d.at, 2) == 2.87


def test_the_page_draws_what_its_tables_say() -> None:
    """One self-contained page: plots with words for who cannot see them; Markdown has the tables."""
    found = list(of(*(answer("p<b>", "ALFA", at_s=n, took_s=10 + n) for n in range(8))).values())
    drawn = board(found, [("commander", "no-probes")], "Oversight", "today")
    page = render(drawn)
    assert 'role="img"' in page and "median decision time: pool commander 13.5 (10 to 17) s" in page
    assert "<b>" not in page.replace("<b>WATCHWORD</b>", "")
    assert "13 s (10 to 17 s, n = 8)" in markdown(drawn) or "14 s (10 to 17 s, n = 8)" in markdown(drawn)
    json.dumps([one.value() for one in found])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["approve", "refuse", "escalate", "not-my-task"]),
            st.integers(0, 10**6),
            st.integers(-50, 10**6),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_was_answered_has_figures(given_: list[tuple[str, int, int, bool]]) -> None:
    """Clocks that go backwards, answers nobody knows, none at all: figures, a text and a page, never a crash."""
    given = [answer("p", "ALFA", text, at, took, probe=probe) for text, at, took, probe in given_]
    found = list(of(*given).values())
    states = [(one.of[0], state_of(one, "0.9")) for one in found if not one.of[1]]
    text, page = render_text(found, states, "now", 1), render(board(found, states, "t", "now"))
    assert text.strip() and page.startswith("<!doctype html>")
    assert canonical([json.loads(json.dumps(one.value()), parse_float=str) for one in found])


def test_an_unclean_value_on_the_screen_is_a_warning(here: Gated) -> None:
    """What the receipt of a hold says beyond its first reason was on the screen: approving it is counted apart."""
    from watchword.gate.session import Verdict

    action = here.action("slew-camera", SLEW)
    unclean = Verdict("hold", ("target = \"tower-12\" comes from a web page",), ("target",))
    held = here.gate.ask(action.bytes, provenance=unclean)
    assert held.event == "held"
    here.approve(str(held.hold), "BRAVO", "CHARLIE")
    here.gate.release(str(held.hold))
    alfa = here.at("ALFA")
    receipts = [parse_receipt(value, "receipt") for value in alfa.record_events()]
    found = traffic(receipts, lambda id: alfa.locate(id).signed.statement, lambda mandate, rule: "commander")
    assert [one.warned for one in found.given] == [True, True]
