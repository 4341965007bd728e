"""Holes in rules are found, each with an example that the deciding table confirms; what is sound stays silent."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from decisions import TRIAGE, pack_charter
from hypothesis import given, settings
from hypothesis import strategies as st

z3 = pytest.importorskip("z3", reason="policy check needs z3-solver")

from watchword.charter.charter import Charter, Condition  # noqa: E402
from watchword.limits import CHECK_RULES_MAX  # noqa: E402
from watchword.policy import check as checking  # noqa: E402
from watchword.policy.check import Checked, TooManyRules, check  # noqa: E402
from watchword.policy.example import example, imagined, played  # noqa: E402
from watchword.policy.pack import read_pack  # noqa: E402
from watchword.policy.table import forbidden  # noqa: E402
from watchword.policy.world import Forbid, World, places_for  # noqa: E402

NAMES = ("ALFA", "BRAVO", "CHARLIE")


def row(id: str, kind: str = "inspection", **changes: Any) -> dict[str, Any]:
    """A requirement of one statement by a member."""
    first = dict(pack_charter().value["requirements"][0])
    plain = {"bound": [], "count": 1, "from": "member", "id": id, "kind": kind, "max_age_days": None, "where": []}
    return first | plain | {"when": {"criticality": 0, "human": []}} | changes


def line(id: str, *forbid: dict[str, Any]) -> dict[str, Any]:
    return dict(pack_charter().value["red_lines"][0]) | {"id": id, "forbid": list(forbid)}


def at(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def caveat(id: str, *forbid: dict[str, Any], whose: str = "BRAVO") -> Forbid:
    return Forbid(id, tuple(Condition(**one) for one in forbid), whose)


def found(charter: Charter, *caveats: Forbid) -> list[tuple[str, ...]]:
    """What was found, as (finding, rule, …); every example must be confirmed."""
    checked = check(charter, caveats)
    assert all(one.confirmed for one in checked.findings), [(one.id, one.states) for one in checked.findings]
    assert not checked.unclear
    return [(one.id, *one.rules) for one in checked.findings]


def rules(requirements: list[dict[str, Any]], red_lines: list[dict[str, Any]] | None = None) -> Charter:
    return pack_charter(NAMES, requirements=requirements, red_lines=red_lines or [])


def test_the_shipped_pack_has_no_hole() -> None:
    """Neither in the charter of an alliance, nor as a pack before there is one."""
    assert found(pack_charter()) == []
    pack = read_pack()
    assert found(imagined(pack.requirements, pack.red_lines, pack.standing)) == []


def test_a_charter_that_is_not_yet_in_force_is_looked_at() -> None:
    """Rules are checked before they are ratified: the examples are played as if they were in force already."""
    charter = pack_charter(requirements=[row("base"), row("same")], effective="2036-01-01T00:00:00Z")
    assert found(charter) == [("implied", "same", "base")]


def test_bounds_that_exclude_each_other_are_found() -> None:
    """No number is both; the words name the two conditions and not the third."""
    bound = [at("files", ">=", 10), at("bytes", ">", 0), at("files", "<", 5)]
    checked = check(rules([row("base"), row("both", bound=bound)]))
    assert [(one.id, one.rules) for one in checked.findings] == [("unmeetable", ("both",))]
    assert checked.findings[0].what == "no evidence meets it: files >= 10 and files < 5 exclude each other"
    assert checked.findings[0].states == {"both": "unmet"} and checked.findings[0].confirmed


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"count": 4}, "it asks for 4 operators, and 3 may say inspection"),
        ({"from": "supplier"}, "it asks for 1 supplier, and 0 may say inspection"),
        ({"kind": "review", "tools": 1}, "it asks for 1 tool, and a review names none"),
        ({"bound": [at("verdict", "==", "clean")]}, "verdict == clean cannot be"),
        ({"bound": [at("no.such", ">", 1)]}, "no.such > 1 cannot be"),
        ({"where": [at("no.such", ">", 1)]}, "no.such > 1 cannot be"),
        ({"bound": [at("files", "<", 0)]}, "files < 0 cannot be"),
        ({"bound": [at("files", "==", "7")]}, "files == 7 cannot be"),
        ({"kind": "evaluation", "bound": [at("high", "<", "0.10"), at("high", ">", "0.1")]}, "exclude each other"),
        ({"kind": "evaluation", "bound": [at("high", "in", ["0.1x"])]}, "high in [0.1x] cannot be"),
        ({"bound": [at("findings", "contains", "x")]}, "findings contains x cannot be"),
        ({"kind": "spill"}, "spill is no kind of evidence"),
    ],
)
def test_what_no_evidence_can_meet_is_found(changes: dict[str, Any], says: str) -> None:
    """Too few who may speak, a field that no such statement has, a value that it cannot hold."""
    checked = check(rules([row("base", kind="claim", **{"from": "supplier"}), row("odd", **changes)]))
    assert [(one.id, one.rules, one.confirmed) for one in checked.findings] == [("unmeetable", ("odd",), True)]
    assert says in checked.findings[0].what


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 3},
        {"tools": 3},
        {"max_age_days": 0},
        {"bound": [at("verdict", "in", ["clean", "nothing-found"])]},
        {"kind": "evaluation", "bound": [at("high", "<=", "0.100"), at("high", ">=", "0.1")]},
        {"kind": "evaluation", "bound": [at("high", "<", "0.101"), at("high", ">", "0.1")]},
        {"kind": "evaluation", "bound": [at("metric", "==", "0.5"), at("metric", "in", ["0.50"])]},
        {"bound": [at("report.bytes", ">", 5)]},
        {"bound": [at("issuer", "==", "BRAVO")]},
        {"kind": "bill-of-materials", "bound": [at("base_models", "contains", "x")]},
    ],
)
def test_what_can_be_met_is_left_alone(changes: dict[str, Any]) -> None:
    """Limits that are just reached, decimals written in two ways, fields inside what may be null."""
    assert found(rules([row("base", kind="claim", **{"from": "supplier"}), row("fine", **changes)])) == []


def test_a_requirement_that_applies_to_nothing_is_found() -> None:
    """Criticality ends at 3, and a human is in, on or out."""
    never = [row("four", when={"criticality": 4, "human": []}), row("odd", when={"criticality": 0, "human": ["maybe"]})]
    assert found(rules([row("base"), *never])) == [("never-applies", "four"), ("never-applies", "odd")]


@pytest.mark.parametrize(
    "forbid",
    [
        [at("criticality", ">=", 2), at("criticality", "<", 2)],
        [at("human", "==", "out"), at("human", "in", ["in", "on"])],
        [at("criticality", "<", 0)],
        [at("tags", "contains", 5)],
        [at("human", "==", "absent")],
    ],
)
def test_a_red_line_that_nothing_crosses_is_found(forbid: list[dict[str, Any]]) -> None:
    """A line that cannot fire protects nobody, and looks as if it did."""
    assert found(rules([row("base")], [line("never", *forbid)])) == [("never-crossed", "never")]


@pytest.mark.parametrize(
    "forbid",
    [[], [at("criticality", ">=", 0)], [at("no-such", "==", 1)], [at("human", "<", 3)], [at("tags", "any", None)]],
)
def test_a_caveat_that_forbids_everything_is_found(forbid: list[dict[str, Any]]) -> None:
    """Always true, or in trouble for every use: trouble crosses."""
    assert found(rules([row("base")]), caveat("all", *forbid)) == [("forbids-everything", "BRAVO:all")]


def test_bounds_of_two_rows_that_no_statement_passes_are_a_contradiction() -> None:
    """Each can be met, and where both apply, neither lets the other be: whatever passes one fails the other."""
    low = row("low", kind="evaluation", bound=[at("high", "<=", "0.05")], when={"criticality": 2, "human": []})
    high = row("high", kind="evaluation", bound=[at("high", ">=", "0.10")])
    assert found(rules([row("base"), low, high])) == [("contradiction", "low", "high")]
    other = row("high", kind="evaluation", bound=[at("high", ">=", "0.10")], where=[at("metric", "==", "recall")])
    low["where"] = [at("metric", "==", "attack-success-rate")]
    assert found(rules([row("base"), low, other])) == []


def test_a_requirement_that_only_a_crossed_red_line_meets_is_a_contradiction() -> None:
    """It asks for what is forbidden."""
    asks = row("asks", bound=[at("dangerous", ">=", 1)])
    crossed = line("hidden", at("dangerous", ">", 0), at("criticality", ">=", 2))
    assert found(rules([row("base", kind="claim", **{"from": "supplier"}), asks], [crossed])) == [
        ("contradiction", "asks", "hidden")
    ]


def test_rules_that_leave_nothing_together_are_found() -> None:
    """Each caveat leaves something; the two together, from one criticality on, leave nothing."""
    some = caveat("not-in", at("human", "in", ["in", "on"]), at("criticality", ">=", 3), whose="ALFA")
    other = caveat("not-out", at("human", "==", "out"))
    assert found(rules([row("base")]), some, other) == [("nothing-left", "ALFA:not-in", "BRAVO:not-out")]


@pytest.mark.parametrize(
    ("one", "other", "implied"),
    [
        ({"count": 2}, {"count": 1}, True),
        ({"count": 2, "distinct": "statements"}, {"count": 2}, False),
        ({"count": 2}, {"count": 2, "distinct": "statements"}, True),
        ({"max_age_days": 30}, {"max_age_days": 90}, True),
        ({"max_age_days": 90}, {"max_age_days": 30}, False),
        ({"bound": [at("files", "<=", 3)]}, {"bound": [at("files", "<=", 5)]}, True),
        ({"bound": [at("files", "<=", 3)], "where": [at("verdict", "==", "suspicious")]}, {}, False),
        ({"when": {"criticality": 1, "human": []}}, {}, False),
        ({}, {"when": {"criticality": 1, "human": []}}, True),
        ({"tools": 2}, {"tools": 1}, True),
        ({}, {"tools": 1}, True),
        ({}, {"tools": 2}, False),
        ({"from": "any"}, {"from": "member"}, True),
    ],
)
def test_a_row_that_another_implies_is_found(one: dict[str, Any], other: dict[str, Any], implied: bool) -> None:
    """Whatever meets the one meets the other, falling evidence and every count included; else both stay."""
    said = found(rules([row("one", **one), row("other", **other)]))
    assert (("implied", "other", "one") in said) == implied, said


def test_a_caveat_implies_nothing_of_the_charter() -> None:
    """It may be taken back; so may another member's."""
    dangerous = at("dangerous", ">", 0)
    assert found(rules([row("base")], [line("hidden", dangerous)]), caveat("same", dangerous)) == [
        ("implied", "BRAVO:same", "hidden")
    ]
    twice = [caveat("same", dangerous, whose="ALFA"), caveat("same", dangerous, whose="BRAVO")]
    assert found(rules([row("base")]), *twice) == []


ONE_WAIVES = {"count": 1, "role": "official"}


@pytest.mark.parametrize(
    ("changes", "other", "implied"),
    [
        ({}, {"count": 2}, True),
        ({}, {"count": 2, "waiver": ONE_WAIVES}, False),
        ({"waiver": ONE_WAIVES}, {"count": 2}, True),
        ({}, {"count": 2, "waiver": {"count": 9, "role": "official"}}, True),
        ({"from": "owner"}, {"count": 2}, False),
        ({"from": "owner"}, {"from": "owner", "max_age_days": 30}, True),
        ({"when": {"criticality": 0, "human": [], "release": "files"}}, {"count": 2}, True),
        ({}, {"count": 2, "when": {"criticality": 0, "human": [], "release": "files"}}, False),
    ],
)
def test_what_may_be_waived_or_is_the_owners_implies_only_what_it_does(
    changes: dict[str, Any], other: dict[str, Any], implied: bool
) -> None:
    """A row that enough people may waive stands in for no other; nor do other members' statements for the owner's."""
    findings = found(rules([row("wide", **changes), row("narrow", **other)]))
    assert findings == ([("implied", "wide", "narrow")] if implied else [])


def test_a_row_that_may_be_waived_leaves_something() -> None:
    """Rules that refuse everything together do not where one of them may be waived and another be met."""
    words = ["nothing-found", "suspicious", "dangerous"]
    bounds = [at("verdict", "in", [one for one in words if one != left_out]) for left_out in words]
    rows = [row(f"no-{n}", bound=[bound]) for n, bound in enumerate(bounds)]
    every = ("nothing-left", "no-0", "no-1", "no-2")
    assert every in found(rules(rows))
    assert found(rules([*rows[:2], rows[2] | {"waiver": ONE_WAIVES}])) == []


def test_a_row_for_endpoints_and_a_cap_on_them_are_no_contradiction() -> None:
    """A line that forbids such releases for such uses is not the row's fault; one that its evidence crosses is."""
    of = {"when": {"criticality": 0, "human": [], "release": "endpoint"}}
    capped = line("capped", at("endpoint", ">", 0), at("criticality", ">=", 2))
    assert found(rules([row("base"), row("asked", "endpoint", **of)], [capped])) == []
    assert found(rules([row("base"), row("asked", "endpoint")], [capped])) == [("contradiction", "asked", "capped")]


def test_an_owner_is_shown_relying_where_it_takes_that() -> None:
    """The example of a row that wants two operators of the owner's is one in which the owner relies on another."""
    shown = check(rules([row("base"), row("ours", **{"from": "owner", "count": 2}), row("bad", "review", count=9)]))
    assert [(one.id, one.rules) for one in shown.findings] == [("unmeetable", ("bad",))]
    never = line("never-two", at("criticality", ">=", 0)) | {"evidence": {"kind": "inspection", "where": []}}
    base, ours = row("base", "claim", **{"from": "any"}), row("ours", **{"from": "owner", "count": 2})
    [one] = check(rules([base, ours], [never])).findings
    assert (one.id, one.rules, one.confirmed) == ("contradiction", ("ours", "never-two"), True)
    assert [said.relied for said in one.example.said if said.kind == "inspection"].count(True) >= 1
    assert "relied on by" in one.example.text()


def test_a_supplier_that_a_rule_names_is_one_that_claims() -> None:
    """Its claim crosses the line; a name that is no party's is told, not passed over."""
    ours = caveat("not-theirs", at("suppliers", "contains", "AQUILA"), at("dangerous", ">", 0))
    hidden = line("hidden", at("dangerous", ">", 0))
    assert found(rules([row("base")], [hidden]), ours) == [("implied", "BRAVO:not-theirs", "hidden")]
    assert found(rules([row("base")]), caveat("alone", at("suppliers", "contains", "AQUILA"))) == []
    checked = check(rules([row("base")]), [caveat("typo", at("suppliers", "contains", "AQILA"))])
    assert [name for name, _ in checked.unclear] == ["BRAVO:typo"]


def test_two_rules_together_imply_a_third() -> None:
    """None of them does alone; each is named."""
    third = caveat("loop", at("human", "in", ["on", "out"]))
    lines = [line("on", at("human", "==", "on")), line("out", at("human", "==", "out"))]
    checked = check(rules([row("base")], lines), [third])
    assert [(one.id, one.rules[0], set(one.rules[1:])) for one in checked.findings] == [
        ("implied", "BRAVO:loop", {"on", "out"})
    ]


def test_what_cannot_be_said_in_the_solver_is_told() -> None:
    """A rule about a field that it does not model, and one that counts too far, are named, never passed over."""
    odd = row("odd", bound=[at("made", "==", "2026-01-01T00:00:00Z")])
    checked = check(rules([row("base"), odd], [line("many", at("dangerous", ">", 5000))]))
    assert [name for name, _ in checked.unclear] == ["odd", "many"] and not checked.findings


def test_more_rules_than_are_compared_are_refused() -> None:
    """Pairs grow with the square."""
    with pytest.raises(TooManyRules):
        check(rules([row("base")]), [caveat(f"c{n}", at("recalls", ">", n)) for n in range(CHECK_RULES_MAX)])


def test_an_example_that_the_table_does_not_confirm_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver alone convinces nobody. Fails when the example is not put before the table."""
    real = played

    def other(charter: Charter, one: Any) -> dict[str, Any]:
        decision = real(charter, one)
        return decision | {"red_lines": [dict(each, state="crossed") for each in decision["red_lines"]]}

    monkeypatch.setattr(checking, "played", other)
    checked: Checked = check(rules([row("base")], [line("never", at("criticality", "<", 0))]))
    assert [one.confirmed for one in checked.findings] == [False]


VALUES = st.one_of(st.integers(-1, 3), st.sampled_from(["in", "on", "x", "0.5", "0.50", "nothing-found", "dangerous"]))
OPS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "any"])
LISTS = st.lists(VALUES, min_size=1, max_size=3)


def conditions(fields: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(
        lambda field, op, value, values: at(field, op, None if op == "any" else values if op == "in" else value),
        st.sampled_from(fields), OPS, VALUES, LISTS,
    )  # fmt: skip
    return st.lists(one, max_size=2)


CONTEXT = ["criticality", "human", "tags", "members", "recalls", "dangerous", "against", "absent"]
FIELDS = ["verdict", "files", "dangerous", "report.bytes", "report.name", "report", "findings", "tool.name", "absent"]
ROWS = st.builds(
    lambda where, bound, count, distinct, tools, days, when, who, waiver: {
        "where": where, "bound": bound, "count": count, "distinct": distinct, "tools": tools, "max_age_days": days,
        "when": {"human": [], **when}, "from": who, "waiver": waiver,
    },
    conditions(FIELDS), conditions(FIELDS), st.integers(1, 3), st.sampled_from(["operators", "statements"]),
    st.integers(0, 2), st.sampled_from([None, 1, 30]),
    st.fixed_dictionaries(
        {"criticality": st.integers(0, 2)}, optional={"release": st.sampled_from(["files", "endpoint"])}
    ),
    st.sampled_from(["member", "any", "owner", "supplier"]),
    st.sampled_from([None, None, {"count": 1, "role": "official"}, {"count": 9, "role": "official"}]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=2), st.lists(conditions(CONTEXT), max_size=2), st.integers(0, 2**32))
def test_a_world_of_the_solver_is_what_the_table_makes_of_it(
    rows: list[dict[str, Any]], lines: list[list[dict[str, Any]]], seed: int
) -> None:
    """Over random rules and worlds, every rule has in the solver the state that the table gives it."""
    charter = rules(
        [row(f"row-{n}", **one) for n, one in enumerate(rows)], [line(f"line-{n}", *one) for n, one in enumerate(lines)]
    )
    every = [*charter.requirements, *(Forbid(one.id, tuple(one.forbid)) for one in charter.red_lines)]
    world = World(charter, every, places_for(every))
    chance = random.Random(seed)
    judged = {rule.id: world.judged(rule) for rule in every}
    wishes = [one.refuses for one in judged.values()] + list(world.waived.values()) + world.quiet
    chance.shuffle(wishes)
    granted: list[Any] = [z3.Not(place.fallen) for places in world.places.values() for place in places]
    for wish in wishes[:8]:
        wish = wish if chance.random() < 0.5 else z3.Not(wish)
        if world.solver.check(*granted, wish) == z3.sat:
            granted.append(wish)
    assert world.solver.check(*granted) == z3.sat
    model = world.solver.model()
    shown = example(world, model)
    decision = played(charter, shown)
    for one in (*decision["requirements"], *decision["red_lines"]):
        refuses = z3.is_true(model.eval(judged[one["id"]].refuses, model_completion=True))
        assert refuses == (one["state"] in ("unmet", "crossed")), (one, shown.text())


GRID = [
    TRIAGE
    | {"criticality": c, "human": h, "members": [], "tags": list(tags), "recalls": r, "dangerous": 0, "against": 0}
    for c, h, r in itertools.product(range(4), ("in", "on", "out"), range(5))
    for tags in ((), ("x",), ("in",), ("x", "in", "on", "0.5", "0.50", "nothing-found", "dangerous"))
]


@settings(max_examples=60, deadline=None)
@given(st.lists(conditions(["criticality", "human", "tags", "recalls", "absent"]), min_size=1, max_size=3))
def test_what_is_found_of_red_lines_is_what_trying_every_use_finds(lines: list[list[dict[str, Any]]]) -> None:
    """Where the uses are few enough to try all: the same lines never fire, forbid everything, or say nothing new."""
    charter = rules([row("base")], [line(f"line-{n}", *one) for n, one in enumerate(lines)])
    crossing = {
        one.id: {n for n, context in enumerate(GRID) if forbidden(one.forbid, context)}
        for one in charter.red_lines
    }
    said = {(one.id, one.rules[0]): one.rules[1:] for one in check(charter).findings if one.id != "nothing-left"}
    for id, crossed in crossing.items():
        assert (("never-crossed", id) in said) == (not crossed)
        assert (("forbids-everything", id) in said) == (len(crossed) == len(GRID))
        if ("implied", id) in said:
            assert crossed <= set().union(*(crossing[by] for by in said["implied", id]))
