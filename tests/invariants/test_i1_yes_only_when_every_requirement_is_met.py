"""I1: a decision says yes only if every requirement of the charter is met, in the named view at the named time.

Each test takes one support away from a release that is admitted, and is seen to fail when its guard is removed from
``policy.table``. Signatures, inclusion and cosignatures are the ledger's; what is tested here is that nothing counts
which stands outside the view, after the moment, about something else, or by somebody whose word the row does not ask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from charters import NOON
from decisions import DAY, RELEASE, TRIAGE, Paper, pack_charter, row

from watchword.ledger.view import View
from watchword.policy.admission import admit
from watchword.policy.table import decide
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339


def sound() -> Paper:
    paper = Paper()
    paper.sound()
    assert paper.decide()["verdict"] == "admitted"
    return paper


@pytest.mark.parametrize("number", range(5))
def test_without_any_one_statement_the_answer_is_no(number: int) -> None:
    """Each of the five statements is needed."""
    paper = sound()
    del paper.statements[number]
    assert paper.decide()["verdict"] == "refused"


@pytest.mark.parametrize("number", range(5))
def test_evidence_past_the_heads_of_the_view_does_not_count(number: int) -> None:
    """A statement at index = size is not in the tree that was cosigned. Fails without the check of the index."""
    paper = sound()
    fact, view = paper.statements[number], paper.view()
    head = view.heads[fact.origin]
    short = View(dict(view.heads) | {fact.origin: dataclasses.replace(head, size=fact.index)})
    decision = decide(paper.charter, short, paper.facts(), rfc3339(NOON), RELEASE, TRIAGE)
    assert decision["verdict"] == "refused"
    assert fact.signed.statement.id not in {one["id"] for one in decision["considered"]}


@pytest.mark.parametrize("use", ["notices", "record"])
def test_evidence_in_another_kind_of_ledger_does_not_count(use: str) -> None:
    """Evidence stands in a ``ledger``: a record is not witnessed. Fails without the check of the ledger's use."""
    paper = sound()
    view = paper.view()
    origin = paper.charter.member("BRAVO").origins[use]
    paper.statements[3] = dataclasses.replace(paper.statements[3], origin=origin)
    heads = dict(view.heads) | {origin: dataclasses.replace(view.heads["bravo.example/ledger"], size=9)}
    decision = decide(paper.charter, View(heads), paper.facts(), rfc3339(NOON), RELEASE, TRIAGE)
    assert decision["verdict"] == "refused"
    assert row(decision, "two-inspections")["there"] == 1


def test_evidence_made_after_the_moment_does_not_count() -> None:
    """A decision as of noon does not know what is said at one second past. Fails without the check of ``made``."""
    paper = sound()
    paper.statements.pop()
    paper.say("data-screening", "CHARLIE", age=timedelta(seconds=-1))
    assert row(paper.decide(), "data-accounted")["there"] == 0
    paper.say("data-screening", "CHARLIE", age=timedelta(0))
    assert paper.decide()["verdict"] == "admitted"


def test_evidence_about_another_release_does_not_count() -> None:
    """By digest, whatever the name says. Fails without the check of the subject."""
    paper = sound()
    paper.statements.pop()
    paper.say("data-screening", "CHARLIE", subject=Subject(RELEASE.name, "sha256:" + "9d" * 32))
    assert paper.decide()["verdict"] == "refused"


def test_evidence_of_the_wrong_party_does_not_count() -> None:
    """A member's claim is no supplier's claim. Fails without the check of ``from``."""
    paper = Paper()
    paper.sound()
    claim = paper.statements[0]
    member = paper.statements[2].holder
    paper.statements[0] = dataclasses.replace(claim, holder=member)
    assert row(paper.decide(), "supplier-claim")["state"] == "unmet"


def test_a_bound_in_trouble_is_not_met() -> None:
    """A bound on a field that a statement has not, or of another type, fails it. Fails when trouble is true there."""
    rows = pack_charter().value["requirements"]
    for field, op, value in (("tool.licence", "==", "open"), ("files", "<", "9"), ("report", "any", None)):
        bound = [{"field": field, "op": op, "value": value}]
        paper = Paper(pack_charter(requirements=[dict(r, bound=bound) if r["id"] == "inspected" else r for r in rows]))
        paper.sound()
        expected = "met" if op == "any" else "unmet"  # null is there
        assert row(paper.decide(), "inspected")["state"] == expected


def _stale(paper: Paper) -> None:
    paper.head_age["delta.example/notices"] = DAY + timedelta(seconds=1)


def _recall(paper: Paper) -> None:
    paper.notice("recall", "ECHO", f"release:{RELEASE.digest}")


def _unread(paper: Paper) -> None:
    paper.notice("retract", "ECHO", f"release:{RELEASE.digest}", held=False)


def _hidden(paper: Paper) -> None:
    paper.say("inspection", "ECHO", verdict="dangerous", dangerous=1)


@pytest.mark.parametrize("spoil", [_stale, _recall, _unread, _hidden])
def test_met_requirements_do_not_outweigh(spoil: Callable[[Paper], None]) -> None:
    """A stale ledger, a recall, an unreadable notice, hidden code: each refuses though every row is met or could be."""
    paper = sound()
    spoil(paper)
    assert paper.decide()["verdict"] == "refused"
    admission = admit(paper.charter, paper.view(), paper.facts(), rfc3339(NOON), RELEASE, TRIAGE)
    assert not admission.admitted
