"""I2: no retraction, expiry, redaction or withheld body turns a refusal into an admission.

Evidence that falls counts as failing, not as absent: whoever is worst off cannot be made to disappear.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from charters import NOON
from decisions import DAY, FIELDS, RELEASE, TRIAGE, Paper, pack_charter, row
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.view import Fact
from watchword.policy.table import decide
from watchword.statements.redaction import hide
from watchword.statements.statement import Signed, make
from watchword.statements.times import rfc3339

BAD = {"verdict": "suspicious", "suspicious": 3}


def with_a_bad_run() -> Paper:
    """A release that would be admitted but for DELTA's inspection."""
    paper = Paper()
    paper.sound()
    paper.say("inspection", "DELTA", **BAD)
    assert paper.decide()["verdict"] == "refused"
    return paper


@pytest.mark.parametrize("way", ["retract", "dispute", "revoke", "withhold", "old"])
def test_taking_the_worst_run_away_does_not_help(way: str) -> None:
    """Retracted, disputed, its key revoked, its notice withheld, or grown old: still refused.

    Fails when a fallen or an old statement is left out of the failing ones.
    """
    paper = with_a_bad_run()
    bad = paper.statements[-1]
    name = f"statement:{bad.signed.statement.id}"
    if way in ("retract", "dispute"):
        paper.notice(way, "DELTA", name)
    elif way == "revoke":
        paper.notice("revoke", "DELTA", f"key:{bad.signed.key_id}")
    elif way == "withhold":
        paper.notice("retract", "DELTA", name, held=False)
    else:
        paper.statements.pop()
        paper.say("inspection", "DELTA", age=1000 * DAY, **BAD)
    decision = paper.decide()
    assert decision["verdict"] == "refused"
    assert len(row(decision, "two-inspections")["failing"]) == 1


def test_retracting_good_evidence_refuses() -> None:
    """What was taken back is worse than what was never said: the row has a failing statement, not just one fewer."""
    paper = Paper()
    paper.sound()
    paper.say("inspection", "DELTA")  # a third, so that two would remain
    assert paper.decide()["verdict"] == "admitted"
    paper.notice("retract", "DELTA", f"statement:{paper.statements[-1].signed.statement.id}")
    assert paper.decide()["verdict"] == "refused"


def test_a_filter_in_trouble_does_not_hide_a_failing_statement() -> None:
    """A ``where`` that has no answer for a statement counts it in. Fails when trouble is false there."""
    from decisions import pack_charter

    rows: list[dict[str, Any]] = pack_charter().value["requirements"]
    where = [{"field": "tool.rules", "op": "<", "value": 5}]
    paper = Paper(pack_charter(requirements=[dict(r, where=where) if r["id"] == "inspected" else r for r in rows]))
    paper.sound()
    paper.say("inspection", "DELTA", **BAD)
    assert row(paper.decide(), "inspected")["state"] == "unmet"
    assert len(row(paper.decide(), "inspected")["failing"]) == 1


def test_a_dispute_beats_a_second_copy() -> None:
    """Publishing a disputed inspection again, in another ledger, does not raise it."""
    paper = Paper()
    paper.sound()
    first = paper.statements[3]
    paper.notice("dispute", "ECHO", f"statement:{first.signed.statement.id}")
    paper.statements.append(dataclasses.replace(first, origin="echo.example/ledger", index=0))
    assert paper.decide()["verdict"] == "refused"


NEWS = st.lists(
    st.tuples(
        st.sampled_from(["recall", "retract", "dispute", "revoke"]),
        st.sampled_from(["ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO"]),
        st.integers(0, 7),  # which statement, its key, or the release
        st.sampled_from(["view", "unheld", "no standing", "loose"]),
    ),
    max_size=4,
)
EVIDENCE = st.lists(
    st.tuples(
        st.sampled_from(["claim", "bill-of-materials", "inspection", "data-screening", "evaluation", "review"]),
        st.sampled_from(["ALFA", "BRAVO", "CHARLIE"]),
        st.booleans(),  # good or bad
        st.integers(0, 200),
    ),
    max_size=7,
)


def say(paper: Paper, kind: str, name: str, good: bool, days: int) -> None:
    bad: dict[str, dict[str, Any]] = {
        "inspection": BAD, "data-screening": {"changed_labels": 1}, "evaluation": {"high": "0.9"},
        "review": {"outcome": "against"},
    }  # fmt: skip
    issuer = "AQUILA" if kind in ("claim", "bill-of-materials") else name
    paper.say(kind, issuer, age=days * DAY, **({} if good else bad.get(kind, {})))


def tell(paper: Paper, kind: str, name: str, number: int, how: str) -> None:
    fact = paper.statements[number] if number < len(paper.statements) else None
    target = f"release:{RELEASE.digest}" if fact is None else f"statement:{fact.signed.statement.id}"
    if kind == "revoke" and fact is not None:
        target = f"key:{fact.signed.key_id}"
    if how == "loose":
        paper.loose.append(paper.bad_news(kind, name, target))
    else:
        paper.notice(kind, name, target, held=how != "unheld", standing=how != "no standing")


@settings(max_examples=120, deadline=None)
@given(EVIDENCE, NEWS, NEWS, st.integers(0, 3), st.booleans())
def test_more_bad_news_never_turns_a_refusal_into_an_admission(
    said: list[tuple[str, str, bool, int]], before: list[Any], after: list[Any], criticality: int, sound: bool
) -> None:
    """Over random evidence, notices of all kinds in any channel, and uses: adding notices never helps."""
    paper = Paper()
    if sound:
        paper.sound()
    for one in said:
        say(paper, *one)
    for news in before:
        tell(paper, *news)
    first = paper.decide(criticality=criticality)["verdict"]
    for news in after:
        tell(paper, *news)
    second = paper.decide(criticality=criticality)["verdict"]
    assert (first, second) != ("refused", "admitted")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.integers(0, 400), st.sampled_from(["suspicious", "dangerous", "unreadable"]))
def test_time_alone_never_turns_a_refusal_into_an_admission(criticality: int, days: int, verdict: str) -> None:
    """A bad run does not expire; the same facts seen later are never better."""
    paper = Paper()
    paper.sound()
    paper.say("inspection", "DELTA", verdict=verdict, suspicious=1)
    use_case = TRIAGE | {"criticality": criticality}
    later = rfc3339(NOON + days * DAY)
    assert decide(paper.charter, paper.view(), paper.facts(), later, RELEASE, use_case)["verdict"] == "refused"


def redact(fact: Fact, names: list[str]) -> Fact:
    """The same statement, had it been signed with these fields hidden."""
    said = fact.signed.statement
    own = {name: said.predicate[name] for name in FIELDS[said.kind]}
    shown, _ = hide(said.kind, own, names)
    statement = make(said.kind, said.subject, shown, issuer=said.issuer, made=said.made)
    return dataclasses.replace(fact, signed=Signed(statement, fact.signed.key_id, b"", b""))


HIDDEN = ("method", "seed", "data")
CONDITION = st.builds(
    lambda field, op, value: {"field": field, "op": op, "value": value},
    st.sampled_from(["method", "seed", "metric", "threat.goal"]),
    st.sampled_from(["==", "!="]),
    st.sampled_from(["a", "b"]),
)
RUN = st.fixed_dictionaries({name: st.sampled_from(["a", "b"]) for name in ("method", "seed", "metric")})
ROW: dict[str, Any] = {
    "id": "run", "text": "", "kind": "evaluation", "count": 1, "from": "member", "distinct": "operators", "tools": 0,
    "max_age_days": None, "when": {"criticality": 0, "human": []}, "owed_by": "members", "accountable": "evaluator",
    "principle": [],
}  # fmt: skip


@given(
    st.lists(CONDITION, max_size=2), st.lists(CONDITION, max_size=2), st.lists(RUN, min_size=1, max_size=3),
    st.lists(st.sets(st.sampled_from([*HIDDEN, "threat"]), min_size=1), min_size=3, max_size=3),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_hiding_a_field_never_helps(
    where: list[dict[str, Any]], bound: list[dict[str, Any]], runs: list[dict[str, str]], hidden: list[set[str]]
) -> None:
    """Whatever a row filters and bounds, what is admitted with fields of evidence hidden is admitted with them shown.

    Fails where a filter in trouble lets good evidence count, and was seen to.
    """
    like = pack_charter().value["requirements"][0]
    rows = [like | ROW | {"where": where, "bound": bound}]
    paper = Paper(pack_charter(requirements=rows, red_lines=[]))
    for issuer, run in zip(("ALFA", "BRAVO", "CHARLIE"), runs, strict=False):
        paper.say("evaluation", issuer, **run)
    shown = paper.decide()["verdict"]
    paper.statements = [
        redact(fact, sorted(names)) for fact, names in zip(paper.statements, hidden, strict=False)
    ]
    assert paper.decide()["verdict"] == "refused" or shown == "admitted"
