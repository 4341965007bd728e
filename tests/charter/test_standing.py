"""Who may say what: the key, its owner, its role and the signature, in that order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from charters import UNQUERIED, charter_value, key, signed
from hypothesis import given
from hypothesis import strategies as st

from watchword.charter.charter import parse_charter
from watchword.charter.quorum import cosigned_time, least_quorum, most_faulty, quorums_intersect
from watchword.charter.standing import NoStanding, may_retract, may_revoke, standing

CHARTER = parse_charter(charter_value())
REVIEW = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
RECALL = {"target": "release:sha256:" + "9c" * 32, "reason": "", "actions": [], "deadline": None, **UNQUERIED}
NOTICE = {"target": "statement:x", "reason": ""}


def test_a_person_with_the_role_has_standing() -> None:
    """The holder says who, of whom, in which role."""
    holder = standing(CHARTER, signed("review", REVIEW, "BRAVO", "official"))
    assert (holder.owner, holder.person, holder.roles, holder.operator) == ("BRAVO", "official", ("official",), "BRAVO")
    assert standing(CHARTER, signed("recall", RECALL, "AQUILA", "supplier")).is_supplier


RATIFICATION = {"version": 1, "parent": None, "effective": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (signed("review", REVIEW, "ALFA", "stranger"), "not in the charter"),
        (signed("review", REVIEW, "ALFA", "evaluator"), "may not say this"),
        (signed("review", REVIEW, "ALFA", "root"), "may not say this"),
        (signed("revoke", NOTICE | {"valid_up_to": []}, "ALFA", "official"), "may not say this"),
        (signed("ratification", RATIFICATION, "ALFA", "official"), "may not say this"),
        (signed("stop", {"reason": ""}, "ALFA", "commander"), "nobody"),
    ],
)
def test_what_the_charter_does_not_list_has_no_standing(statement: object, why: str) -> None:
    """A stranger, a person without the role, the wrong job: refused, saying why."""
    with pytest.raises(NoStanding) as caught:
        standing(CHARTER, statement)  # type: ignore[arg-type]
    assert why in caught.value.message + caught.value.hint


def test_nobody_speaks_in_anothers_name() -> None:
    """BRAVO's key under a statement that says ALFA is refused. Fails when the owner is not compared."""
    from datetime import UTC, datetime

    from watchword.statements.statement import Subject, make, open_envelope, sign

    subject = (Subject("r", "sha256:" + "0" * 64),)
    statement = make("review", subject, REVIEW, issuer="ALFA", made=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(NoStanding, match="BRAVO's"):
        standing(CHARTER, open_envelope(sign(statement, key("BRAVO", "official"))))


def test_a_signature_of_another_statement_is_refused() -> None:
    """The signature is over these bytes. Fails when verification is skipped."""
    one, two = (
        signed("review", REVIEW, "ALFA", "official"),
        signed("review", REVIEW | {"text": "2"}, "ALFA", "official"),
    )
    with pytest.raises(NoStanding, match="does not verify"):
        standing(CHARTER, replace(one, signature=two.signature))


def test_only_the_issuer_retracts_and_only_the_owners_root_revokes() -> None:
    """A key thief in another house cannot take our words back."""
    target = signed("review", REVIEW, "ALFA", "official")
    assert may_retract(signed("retract", NOTICE, "ALFA", "evaluator"), target)
    assert not may_retract(signed("retract", NOTICE, "BRAVO", "evaluator"), target)
    revoke = NOTICE | {"valid_up_to": []}
    key_id = key("ALFA", "official").public.id
    assert may_revoke(CHARTER, signed("revoke", revoke, "ALFA", "root"), key_id)
    assert not may_revoke(CHARTER, signed("revoke", revoke, "BRAVO", "root"), key_id)
    assert not may_revoke(CHARTER, signed("revoke", revoke, "ALFA", "root"), "sha256:unknown")


@given(st.integers(1, 12), st.integers(0, 4))
def test_two_quorums_share_an_honest_operator(operators: int, faulty: int) -> None:
    """For the least k, any two sets of k among M share more than f; for k - 1 some two do not."""
    k = least_quorum(operators, faulty)
    for size in range(1, operators + 1):
        # The smallest overlap of two sets of this size is 2k - M.
        shares_honest = max(0, 2 * size - operators) > faulty
        assert quorums_intersect(size, operators, faulty) == shares_honest == (size >= k)


@pytest.mark.parametrize(("operators", "faulty"), [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1), (7, 2), (10, 3)])
def test_the_default_of_faulty_operators_leaves_the_others_a_quorum(operators: int, faulty: int) -> None:
    """With that many silent or lying, the honest ones still reach a quorum; with one more they would not."""
    assert most_faulty(operators) == faulty
    assert least_quorum(operators, faulty) <= operators - faulty
    assert least_quorum(operators, faulty + 1) > operators - faulty - 1


def test_the_cosigned_time_is_the_kth_newest_by_operator() -> None:
    """Two of three operators: the second-newest time. One operator twice is one; a clock far ahead does not count."""
    names = [member.witness for member in CHARTER.members]
    now = 1_000_000
    assert cosigned_time(CHARTER, {names[0]: 100, names[1]: 300, names[2]: 200}, now) == 200
    assert cosigned_time(CHARTER, {names[0]: 100}, now) is None
    assert cosigned_time(CHARTER, {names[0]: 100, "stranger": 300}, now) is None
    assert cosigned_time(CHARTER, {names[0]: 100, names[1]: now + 301}, now) is None
    assert cosigned_time(CHARTER, {names[0]: 100, names[1]: now + 300}, now) == 100
    assert cosigned_time(CHARTER, {names[0]: 100, names[1]: 0}, now) is None
