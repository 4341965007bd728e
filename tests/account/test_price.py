"""A caveat's price is what it would stop, decided with and without; and what is relied on is watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from decisions import RELEASE, TRIAGE, Paper

from watchword.account.price import price
from watchword.account.reliance import relied_on
from watchword.account.status import Use
from watchword.statements.times import rfc3339

LIMITS: dict[str, Any] = {"criticality_max": 1, "until": "2026-06-01T00:00:00Z", "tags": [], "members": []}


CHARLIES = {"name": "other", "members": ["CHARLIE"], "owner": "CHARLIE"}


def caveat(field: str, op: str, value: Any) -> dict[str, Any]:
    rule = {
        "id": "ours", "text": "", "on": "admit", "forbid": [{"field": field, "op": op, "value": value}],
        "accountable": "official", "principle": [], "serves": [],
    }  # fmt: skip
    return {"name": "x", "reason": "", "cedar": None, "rules": [rule]}


def priced(paper: Paper, fields: dict[str, Any]) -> tuple[Any, ...]:
    uses = [
        Use(RELEASE, TRIAGE, "ALFA#9", "ALFA", "admitted"),
        Use(RELEASE, TRIAGE | CHARLIES, "ALFA#8", "DELTA", "admitted"),
        Use(RELEASE, TRIAGE | {"name": "third", "criticality": 3}, "ALFA#7", "ALFA", "refused"),
    ]
    found = price(paper.charter, paper.view(), paper.facts(), "ECHO", fields, uses, paper.now)
    return found.known, found.admitted, [(one.use, one.whom, one.rules) for one in found.stopped]


def test_the_price_names_each_use_that_would_stop_and_for_whom() -> None:
    """Of three uses known two are admitted; the caveat stops that of CHARLIE, which DELTA decided."""
    paper = Paper()
    paper.sound()
    assert priced(paper, caveat("members", "contains", "CHARLIE")) == (
        3, 2, [("other", ("CHARLIE", "DELTA"), ("ours",))]
    )  # fmt: skip


def test_a_caveat_that_stops_nothing_costs_nothing_and_what_is_refused_is_not_counted() -> None:
    """The use of criticality 3 is refused already."""
    paper = Paper()
    paper.sound()
    assert priced(paper, caveat("criticality", ">=", 3)) == (3, 2, [])
    assert paper.loose == [] and paper.leaves == []


def test_a_reliance_is_watched_until_it_falls_or_ends() -> None:
    """Disputed evidence, an end that is past, a reliance taken back: each told as it is."""
    paper = Paper()
    fact = paper.say("inspection", "ALFA")
    id = fact.signed.statement.id
    reliance = paper.say("reliance", "BRAVO", statement=id, limits=LIMITS, reason="", role="official")

    def watched(now: Any = None) -> list[str]:
        return [one.why for one in relied_on(paper.charter, paper.view(), paper.facts(), "BRAVO", now or paper.now)]

    assert watched() == [""]
    assert watched(paper.now + timedelta(days=200)) == ["its limits ended 2026-06-01T00:00:00Z"]
    paper.loose.append(paper.bad_news("dispute", "CHARLIE", f"statement:{id}"))
    assert watched() == ["disputed"]
    paper.loose.append(paper.bad_news("retract", "BRAVO", f"statement:{reliance.signed.statement.id}"))
    assert watched() == []
    assert rfc3339(paper.now) < LIMITS["until"]
