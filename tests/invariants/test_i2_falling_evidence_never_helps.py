"""I2: no caveat, retraction, expiry, redaction or withheld body turns a refusal into an admission.

Evidence that falls counts as failing, not as absent: whoever is worst off cannot be made to disappear.
"""

from __future__ import annotations

import dataclasses
import functools
import random
from typing import Any

import pytest
from charters import NOON
from decisions import DAY, FIELDS, NAMES, RELEASE, TRIAGE, Paper, pack_charter, row
from hypothesis import given, settings
from hypothesis import strategies as st
from random_papers import CONDITIONS, FREE, USE, random_paper, rules

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


@pytest.mark.parametrize("kind", ["inspection", "evaluation", "review", "claim", "bill-of-materials", "data-screening"])
def test_what_is_kept_back_counts_as_the_worst(kind: str) -> None:
    """A leaf of evidence about the release, and nobody shows its body: refused, and failing where it is asked for.

    Fails when unheld leaves are left out of the failing ones.
    """
    paper = Paper()
    paper.sound()
    paper.say("evaluation", "ALFA")
    paper.say("review", "ALFA", of="legal")
    assert paper.decide(criticality=2)["verdict"] == "admitted"
    leaf = paper.keep_back(kind, "ECHO")
    decision = paper.decide(criticality=2)
    assert decision["verdict"] == "refused"
    why = {"id": f"leaf:sha256:{leaf.commitment.hex()}", "why": "unheld"}
    assert any(why in one["failing"] for one in decision["requirements"])
    assert decision["unheld"] == [
        {"index": leaf.index, "kind": kind, "leaf": why["id"][5:], "origin": "echo.example/ledger", "state": "unheld"}
    ]


def test_purging_a_finding_does_not_clear_its_red_line() -> None:
    """Dangerous code was found, its inspection spilled: the line stays crossed. Fails when only bodies are counted."""
    paper = Paper()
    paper.sound()
    found = paper.say("inspection", "DELTA", verdict="dangerous", dangerous=1)
    paper.purge(found)
    decision = paper.decide(criticality=0)
    assert {"id": "hidden-code", "state": "crossed"} in decision["red_lines"]


def test_a_recall_still_reaches_what_a_purged_bill_of_materials_named() -> None:
    """Of a bill that is kept back nobody knows the parts, so no recall of a part is ruled out: refused as before.

    Fails when a leaf that would name names does not refuse by itself.
    """
    rows = [one for one in pack_charter().value["requirements"] if one["id"] == "inspected"]
    paper = Paper(pack_charter(requirements=rows, red_lines=[]))
    paper.say("inspection", "ALFA")
    bill = paper.say("bill-of-materials", "AQUILA")
    assert paper.decide()["verdict"] == "admitted"
    paper.notice("recall", "ECHO", "component:pkg:generic/numpy@2.2")
    assert paper.decide()["verdict"] == "refused"
    paper.purge(bill)
    assert paper.decide()["notices"] == []
    assert paper.decide()["verdict"] == "refused"


def test_enough_members_take_back_what_nobody_can_read() -> None:
    """Three of five, by the leaf's commitment under the release's name; two do not suffice."""
    paper = Paper()
    paper.sound()
    leaf = paper.keep_back("inspection", "ECHO")
    for name, verdict in (("ALFA", "refused"), ("BRAVO", "refused"), ("CHARLIE", "admitted")):
        paper.notice("take-back", name, f"release:{RELEASE.digest}", notice=f"sha256:{leaf.commitment.hex()}")
        assert paper.decide()["verdict"] == verdict
    assert paper.decide()["unheld"][0]["state"] == "taken-back"


def test_evidence_about_another_release_is_not_missed_here() -> None:
    """A kept-back leaf is about the release that its name says, and about no other."""
    paper = Paper()
    paper.sound()
    paper.keep_back("inspection", "ECHO", "sha256:" + "77" * 32)
    assert (paper.decide()["verdict"], paper.decide()["unheld"]) == ("admitted", [])


@functools.cache
def ruled(few: int) -> Any:
    """All rules; or so few that each thing that falls decides alone."""
    made = rules()
    kept = {0: {one["id"] for one in made["requirements"]}, 1: {"supplier-claim", "ours"}, 2: {"supplier-claim"}}[few]
    made["requirements"] = [one for one in made["requirements"] if one["id"] in kept]
    made["red_lines"] = [one for one in made["red_lines"] if few != 1 and (few == 0 or one["id"] == "evaded")]
    return pack_charter(**made)


def worsen(paper: Paper, draw: random.Random, decision: dict[str, Any]) -> None:
    """One of the things that I2 names, done by a member or by nobody; mostly to what stands in the way of a yes."""
    failing = {one["id"] for judged in decision["requirements"] for one in judged["failing"]}
    bad = [f for f in paper.statements if f.signed.statement.id in failing or f.signed.statement.kind == "reliance"]
    among = bad if bad and draw.random() < 0.7 else paper.statements
    fact = draw.choice(among) if among else None
    way = draw.choice(("caveat", "fall", "fall", "purge", "purge", "purge", "keep back", "lift falls", "time"))
    if way == "caveat":
        member = draw.choice(NAMES)
        more: dict[str, Any] = {"cedar": FREE} if draw.random() < 0.3 else {}
        if draw.random() < 0.2:
            paper.notice("caveat", member, f"caveat:{member}", held=False)
        else:
            paper.caveat(member, *draw.sample(CONDITIONS, draw.choice((0, 1, 2))), loose=draw.random() < 0.5, **more)
    elif way == "fall" and fact is not None:
        statement, holder = fact.signed.statement, fact.holder
        kind, by = draw.choice((("retract", holder.owner), ("dispute", "ECHO"), ("revoke", holder.owner)))
        role = "supplier" if holder.is_supplier and kind == "retract" else "root" if kind == "revoke" else None
        target = f"key:{fact.signed.key_id}" if kind == "revoke" else f"statement:{statement.id}"
        if kind == "revoke" and holder.is_supplier:
            return
        if draw.random() < 0.5:
            paper.loose.append(paper.bad_news(kind, by, target, role=role))
        else:
            paper.notice(kind, by, target, held=draw.random() < 0.8, role=role)
    elif way == "purge" and fact is not None:
        paper.purge(fact)
    elif way == "keep back":
        paper.keep_back(draw.choice(("inspection", "evaluation", "review", "claim", "reliance", "waiver")), "ECHO")
    elif way == "lift falls":
        lifts = [leaf.signed for leaf in paper.leaves if leaf.signed and leaf.signed.statement.kind == "lift"]
        for signed in lifts:
            paper.notice("dispute", "ECHO", f"statement:{signed.statement.id}")
    else:
        paper.now += draw.choice((1, 30, 400)) * DAY


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 2))
def test_nothing_that_restricts_or_falls_turns_a_refusal_into_an_admission(seed: int, many: int, few: int) -> None:
    """Over random alliances with waivers, reliances, caveats and kept-back leaves: nothing that I2 names ever helps.

    Fails when a kept-back leaf is not failing, a reliance that fell no longer names its statement, or a count in a
    caveat may be compared downwards.
    """
    draw = random.Random(seed)
    paper = random_paper(draw, ruled(few))
    use = {"criticality": draw.choice((0, 1, 1, 2)), "tags": USE["tags"], "members": USE["members"]}
    before = paper.decide(**use)
    for _ in range(many):
        worsen(paper, draw, before)
        after = paper.decide(**use)
        assert (before["verdict"], after["verdict"]) != ("refused", "admitted")
        before = after
