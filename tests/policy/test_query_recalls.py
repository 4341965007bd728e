"""A decision and a recall by query: what it reaches is refused, what nobody can read counts as the worst."""

from __future__ import annotations

from typing import Any

import pytest
from decisions import FIELDS, Paper

PACKAGE = "package:pkg:generic/numpy"
TWO = {"versions": [{"from": "2.0", "before": "2.2"}]}
REACHING = {"versions": [{"from": "2.0", "before": "2.3"}]}


def paper() -> Paper:
    """A sound release whose bill of materials names numpy 2.2."""
    one = Paper()
    one.sound()
    if not any(fact.signed.statement.kind == "bill-of-materials" for fact in one.statements):
        one.say("bill-of-materials", "AQUILA")
    assert one.decide()["verdict"] == "admitted"
    return one


def kinds(decision: dict[str, Any]) -> set[str]:
    return {notice["kind"] for notice in decision["notices"]}


@pytest.mark.parametrize(
    ("fields", "verdict", "kind"),
    [({}, "refused", "recall"), (REACHING, "refused", "recall"), (TWO, "admitted", "not-reached")],
)
def test_a_recall_by_query_refuses_what_it_reaches(fields: dict[str, Any], verdict: str, kind: str) -> None:
    """In the range it crosses the red line; outside it is listed, and does not count."""
    for loose in (False, True):
        one = paper()
        if loose:
            one.loose.append(one.bad_news("recall", "BRAVO", PACKAGE, **fields))
        else:
            one.notice("recall", "BRAVO", PACKAGE, **fields)
        decision = one.decide()
        assert (decision["verdict"], kinds(decision)) == (verdict, {kind})


def test_withholding_the_range_helps_nobody() -> None:
    """Of a recall that nobody here can read nobody knows the versions: it refuses, though it means others.

    Fails when an unheld notice under a package's name is passed over.
    """
    one = paper()
    one.notice("recall", "BRAVO", PACKAGE, held=False, **TWO)
    decision = one.decide()
    assert (decision["verdict"], kinds(decision)) == ("refused", {"unheld"})


def test_a_second_bill_of_materials_does_not_talk_a_recall_away() -> None:
    """The supplier adds a bill with a later numpy: the first still names what is recalled. So it does retracted."""
    one = paper()
    first = next(fact for fact in one.statements if fact.signed.statement.kind == "bill-of-materials")
    later = [{"name": "numpy", "version": "9", "purl": "pkg:generic/numpy@9.0", "digest": None}]
    one.say("bill-of-materials", "AQUILA", **FIELDS["bill-of-materials"] | {"components": later})
    one.notice("recall", "BRAVO", PACKAGE, **REACHING)
    assert one.decide()["verdict"] == "refused"
    issuer = first.signed.statement.issuer
    role = "supplier" if issuer == "AQUILA" else None
    one.loose.append(one.bad_news("retract", issuer, f"statement:{first.signed.statement.id}", role=role))
    assert kinds(one.decide()) == {"recall", "retract"}


def test_an_exercise_is_never_bad_news() -> None:
    """Held or not, in a ledger or loose, of the very release: no decision lists it, and none changes."""
    one = paper()
    before = one.decide()
    for target in (f"release:{one.release.digest}", PACKAGE, "supplier:AQUILA"):
        one.notice("recall", "BRAVO", f"exercise:{target}")
        one.notice("recall", "BRAVO", f"exercise:{target}", held=False)
        one.loose.append(one.bad_news("recall", "BRAVO", f"exercise:{target}"))
    after = one.decide()
    assert after["verdict"] == "admitted"
    assert after | {"loose": "", "view": ""} == before | {"loose": "", "view": ""}
