"""A charter that cannot work is named before anyone ratifies it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from charters import NOON, SECRET, charter_value, key_value, member
from decisions import NAMES, pack_charter

from watchword.charter.charter import BadCharter, parse_charter
from watchword.charter.draft import draft
from watchword.charter.lint import lint
from watchword.charter.quorum import least_quorum
from watchword.policy.pack import read_pack
from watchword.statements.times import rfc3339

PACK = read_pack()
SUPPLIER = {"name": "AQUILA", "contact": "", "keys": [key_value("AQUILA", "supplier")]}


def drafted(names: tuple[str, ...] = NAMES, **changes: Any) -> dict[str, Any]:
    return draft(
        "Test Alliance", [member(name) for name in names], [SUPPLIER],
        PACK.requirements, PACK.red_lines, PACK.standing, secret=SECRET, made=rfc3339(NOON), **changes,
    )  # fmt: skip


def test_the_alliance_pack_works_for_five() -> None:
    """The shipped pack and the default quorums draw no complaint."""
    assert lint(parse_charter(drafted())) == ()


@pytest.mark.parametrize(("count", "faulty"), [(1, 0), (2, 0), (3, 0), (4, 1), (5, 0), (5, 1), (5, 2), (7, 3)])
def test_default_quorums_intersect(count: int, faulty: int) -> None:
    """Whatever the size, two default quorums share an operator beyond the faulty ones."""
    quorum = drafted(tuple(f"M{n}" for n in range(count)), faulty=faulty)["quorum"]
    assert quorum["witness"] == quorum["ratify"] == least_quorum(count, faulty)
    assert 2 * quorum["witness"] - count > faulty


def test_a_drafted_charter_holds_only_the_commitment_of_the_secret() -> None:
    """The secret itself is in no field."""
    assert SECRET.hex() not in repr(drafted()) and repr(SECRET) not in repr(drafted())
    assert drafted()["secret"] == charter_value()["secret"]


def test_an_alliance_of_one_works_and_is_told_what_it_cannot_meet() -> None:
    """One member may decide at criticality 0; that two operators are missing is said, and is not fatal."""
    complaints = lint(parse_charter(drafted(("ALFA",))))
    assert not any(complaint.fatal for complaint in complaints)
    assert any("two-inspections: needs 2 operators, 1 may say inspection" in c.what for c in complaints)


def test_a_charter_without_quorum_does_not_parse() -> None:
    """The field is named."""
    value = charter_value()
    del value["quorum"]
    with pytest.raises(BadCharter, match="quorum"):
        parse_charter(value)


def _set(path: str, wanted: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        at: Any = value
        for step in steps:
            at = at[int(step) if step.isdigit() else step]
        at[int(last) if last.isdigit() else last] = wanted

    return change


CONDITION = {"field": "verdict", "op": "==", "value": "nothing-found"}


@pytest.mark.parametrize(
    ("change", "rule", "what"),
    [
        (_set("quorum/witness", 0), "quorum-witness", "may share no honest one"),
        (_set("quorum/witness", 2), "quorum-witness", "two quorums of 2 among 5"),
        (_set("quorum/witness", 6), "quorum-witness", "two quorums of 6"),
        (_set("quorum/faulty", 5), "quorum-impossible", "5 dishonest"),
        (_set("quorum/ratify", 0), "quorum-ratify", "0 ratifications"),
        (_set("quorum/ratify", 6), "quorum-ratify", "6 ratifications"),
        (_set("quorum/ratify", 2), "quorum-ratify-minority", "2 of 5"),
        (_set("head_max_age_s", 0), "head-age-zero", "stale at once"),
        (_set("amendment/ratify", 2), "amendment-quorum", "a change of the rules takes 2 operators"),
        (_set("amendment/ratify", 6), "amendment-quorum", "there are 5"),
        (_set("amendment/delay_s", 10**9), "amendment-never", "longer than systems live"),
        (_set("requirements/0/max_age_days", 0), "freshness-unreachable", "older when it is first seen"),
        (_set("members/0/name", "ALFA\u202e"), "name-odd", "member"),
        (_set("members/0/operator", "a/b"), "name-odd", "operator"),
        (_set("members/0/operator", "AQUILA"), "supplier-operator", "AQUILA"),
        (_set("members/0/name", "Bravo"), "name-alike", "bravo"),
        (_set("requirements/0/id", "Two Words"), "id-odd", "Two Words"),
        (_set("standing/revoke", ["official"]), "standing-root", "revoke"),
        (_set("standing/ratification", []), "standing-root", "ratification"),
        (_set("standing/recall", ["admiral"]), "nobody-may", "nobody here may say recall: no key is admiral"),
        (_set("standing/pardon", ["official"]), "standing-unknown-kind", "pardon"),
        (_set("requirements/0/kind", "approval"), "requirement", "no kind of evidence"),
        (_set("requirements/0/from", "friend"), "requirement", "from is member"),
        (_set("requirements/0/distinct", "names"), "requirement", "distinct is"),
        (_set("requirements/0/count", 0), "requirement", "count is 0"),
        (_set("requirements/0/when", {"criticality": 4, "human": []}), "requirement", "never applies"),
        (_set("requirements/0/when", {"criticality": 0, "human": ["off"]}), "requirement", "human is"),
        (_set("requirements/0/principle", ["G"]), "requirement", "'G' is none"),
        (_set("requirements/0/owed_by", ""), "requirement", "name someone"),
        (_set("requirements/2/bound/0/op", "=~"), "requirement", "operator"),
        (_set("requirements/2/bound/0/value", 0.5), "requirement", "bound: verdict"),
        (_set("requirements/2/bound/0/field", "verdikt"), "requirement-field", "no field 'verdikt'"),
        (_set("requirements/2/where", [CONDITION] * 65), "requirement", "65 conditions"),
        (_set("red_lines/0/forbid", []), "red-line", "forbids everything"),
        (_set("red_lines/0/forbid/0/field", "danger"), "red-line", "no field of a red line"),
        (_set("red_lines/0/forbid/0/value", "high"), "red-line", "decimal"),
        (_set("red_lines/0/principle", ["Z"]), "red-line", "'Z'"),
    ],
)
def test_what_cannot_work_is_fatal(change: Callable[[dict[str, Any]], None], rule: str, what: str) -> None:
    """Each is complained of under its rule, and the charter must not be put in force."""
    value = copy.deepcopy(drafted())
    change(value)
    complaints = lint(parse_charter(value))
    assert any(c.fatal and c.id == rule and what in c.what for c in complaints), complaints


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_set("standing/claim", ["steward"]), "requirement-unmeetable"),
        (_set("standing/evaluation", []), "nobody-can"),
        (_set("standing/review", ["official", "lawyer"]), "role-unheld"),
        (_set("requirements/3/count", 6), "requirement-unmeetable"),
        (_set("requirements", []), "no-requirements"),
        (_set("amendment/ratify", 5), "amendment-everybody"),
        (_set("amendment/delay_s", 0), "amendment-at-once"),
        (_set("head_max_age_s", 40 * 86_400), "freshness-short"),
        (_set("requirements/6/waiver", {"count": 9, "role": "official"}), "waiver-out-of-reach"),
        (_set("requirements/6/waiver", {"count": 1, "role": "admiral"}), "waiver-out-of-reach"),
        (_set("requirements/2/when", {"criticality": 0, "human": []}), "requirement-of-files"),
    ],
)
def test_what_only_refuses_is_said_and_not_fatal(change: Callable[[dict[str, Any]], None], rule: str) -> None:
    """Such a charter is safe: it refuses what it cannot judge."""
    value = copy.deepcopy(drafted())
    change(value)
    complaints = lint(parse_charter(value))
    assert rule in {c.id for c in complaints}
    assert not any(c.fatal for c in complaints)


def test_the_fields_of_a_red_line_are_those_of_the_decision() -> None:
    """Lint, the table and Cedar name the same fields."""
    from decisions import TRIAGE

    from watchword.charter.lint import RED_LINE_FIELDS
    from watchword.policy import cedar, table

    assert set(cedar.RED_LINE_FIELDS) == RED_LINE_FIELDS == set(table.red_line_context(TRIAGE, (), (), ()))
    assert pack_charter().red_lines
