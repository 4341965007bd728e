"""Rules about actions forbid what they say, by table and by engine, tool by tool; what is not known forbids."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.limits import ACT_RULES_MAX, ACT_SLICES_MAX
from watchword.policy import acts
from watchword.policy.acts import ACT_FIELDS, ActsDisagree, Restriction, Restrictions
from watchword.policy.cedar import EngineTrouble
from watchword.policy.table import forbidden as conditions_hold
from watchword.statements.kinds import CaveatRule, Condition

RELEASE = "sha256:" + "9c" * 32
KNOWN: dict[str, Any] = {
    "tool": "send-mail", "effect": "write", "criticality": 1, "human": "on", "members": ["ALFA"], "tags": ["office"],
    "owner": "ALFA", "destinations": ["kim@alfa.example"], "identifiers": [], "secrets": 0, "amount": 0, "unclean": 0,
}  # fmt: skip


def rule(*forbid: tuple[str, str, Any], id: str = "rule", member: str = "BRAVO") -> Restriction:
    conditions = [Condition(field=field, op=op, value=value) for field, op, value in forbid]
    return Restriction(
        member, "sha256:" + "00" * 32,
        CaveatRule(
            id=id, text="", on="act", forbid=conditions, accountable="official", principle=["E"], serves=[]
        ),
    )  # fmt: skip


def forbidden(*rules: Restriction, without: str = "", **changes: Any) -> list[str]:
    context = {name: value for name, value in (KNOWN | changes).items() if name != without}
    return [one.rule.id for one in Restrictions(rules).forbidding(context, RELEASE)]


@pytest.mark.parametrize(
    ("condition", "change"),
    [
        (("tool", "==", "send-mail"), {"tool": "read-mail"}),
        (("tool", "in", ["send-mail", "pay"]), {"tool": "read-mail"}),
        (("effect", "==", "write"), {"effect": "read"}),
        (("destinations", "contains", "kim@alfa.example"), {"destinations": ["lee@alfa.example"]}),
        (("identifiers", "contains", "4711"), {"identifiers": ["4711x"]}),
        (("amount", ">", 1000), {"amount": 1000}),
        (("secrets", ">=", 1), {"secrets": 0}),
        (("unclean", ">", 0), {"unclean": 0}),
        (("criticality", ">=", 2), {"criticality": 1}),
        (("human", "!=", "in"), {"human": "in"}),
        (("tags", "contains", "weapons"), {"tags": []}),
        (("owner", "==", "ALFA"), {"owner": "BRAVO"}),
    ],
)
def test_a_rule_forbids_exactly_what_it_says(condition: tuple[str, str, Any], change: dict[str, Any]) -> None:
    """One value past the condition it forbids, at the condition's edge it does not."""
    field, op, value = condition
    past = {
        "==": value, "contains": [value], ">": 1001, ">=": 2, "!=": "out", "in": "pay",
    }[op]  # fmt: skip
    assert forbidden(rule(condition), **{field: past}) == ["rule"]
    assert forbidden(rule(condition), **change) == []


@pytest.mark.parametrize("field", sorted(set(ACT_FIELDS) - {"tool"}))
def test_what_is_not_known_forbids(field: str) -> None:
    """A rule that asks for it is in trouble, and trouble forbids; a rule that does not is not. Fails when left out
    counts as empty."""
    never = {"String": ("==", "never"), "Long": ("<", -5), "Set<String>": ("contains", "never")}[ACT_FIELDS[field]]
    assert forbidden(rule((field, *never))) == []
    assert forbidden(rule((field, *never)), without=field) == ["rule"]
    assert forbidden(rule(("tool", "==", "other"), (field, *never)), without=field) == []
    assert forbidden(rule(("tool", "==", "send-mail"), (field, *never)), without=field) == ["rule"]


def test_a_rule_about_what_does_not_exist_forbids() -> None:
    """A misspelt field is trouble for every action."""
    assert forbidden(rule(("destination", "contains", "x"))) == ["rule"]


def test_a_rule_that_wants_a_text_in_a_list_is_read_where_it_is_there() -> None:
    """Of many such rules those are found whose text is in the list, twice or beside others, and no others."""
    rules = [rule(("destinations", "contains", f"p{n}"), ("amount", ">", n), id=f"r{n}") for n in range(5)]
    rules.append(rule(("tags", "contains", "office"), ("destinations", "contains", "p9"), id="both"))
    assert forbidden(*rules, destinations=["p3", "p3", "x", "p4"], amount=4) == ["r3"]
    assert forbidden(*rules, destinations=["p9"], amount=9) == ["both"]
    assert forbidden(*rules, destinations=[], amount=9) == []


def test_a_tool_is_judged_by_its_slice() -> None:
    """Rules of other tools are not compiled for it, and answer the same; tools that nobody names share one slice."""
    rules = [rule(("tool", "==", f"tool-{n}"), ("amount", ">", n), id=f"r{n}") for n in range(5)]
    every = Restrictions([*rules, rule(("effect", "==", "fetch"), id="any")])
    assert [one.rule.id for one in every.forbidding(KNOWN | {"tool": "tool-3", "amount": 4}, RELEASE)] == ["r3"]
    assert [one.rule.id for one in every.forbidding(KNOWN | {"effect": "fetch", "tool": "x"}, RELEASE)] == ["any"]
    for number in range(ACT_SLICES_MAX + 10):
        assert every.forbidding(KNOWN | {"tool": f"made up {number}"}, RELEASE) == ()
    assert len(every._warm) == 2
    assert set(every._slice("tool-3", set()).asked) == {3, 5} and set(every._slice("made up", set()).asked) == {5}


def test_two_that_differ_deny(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that forgets a rule, or a table that does, is seen. Fails when one of the two is not asked."""
    monkeypatch.setattr(acts, "condition_text", lambda *_: "false")
    with pytest.raises(ActsDisagree, match="rule"):
        forbidden(rule(("effect", "==", "write")))


def test_trouble_of_the_engine_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forbid that errs is skipped by the engine; here it is an error. Fails when diagnostics are not read."""
    monkeypatch.setattr(acts, "condition_text", lambda *_: "context.amount + 9223372036854775807 > 0")
    with pytest.raises(EngineTrouble, match="overflow"):
        forbidden(rule(("amount", ">", 0)), amount=1)


@pytest.mark.parametrize("change", [{"amount": "1"}, {"tags": None}, {"amount": 2**63}, {"owner": 5}])
def test_a_context_of_another_form_is_no_answer(change: dict[str, Any]) -> None:
    """The schema is asked for every action, of all that a rule may read. Fails when the table reads first."""
    asks = [("amount", ">", 0), ("tags", "contains", "x"), ("owner", "==", "ALFA")]
    with pytest.raises(EngineTrouble):
        forbidden(rule(*asks), **change)


def test_more_rules_than_are_applied_are_refused() -> None:
    """Before anything is compiled."""
    with pytest.raises(EngineTrouble, match="limit"):
        Restrictions([rule(("amount", ">", 0))] * (ACT_RULES_MAX + 1))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.sampled_from(["send-mail", "pay", "write", "x", "on", "", "0.5", "0.50"]),
)
CONDITIONS = st.tuples(
    st.sampled_from([*ACT_FIELDS, "absent", "owner.deep"]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "any", "~"]),
    VALUES | st.lists(VALUES, max_size=3),
)
TEXTS = st.lists(st.sampled_from(["x", "pay", "on"]), max_size=2)
CONTEXTS = st.fixed_dictionaries(
    {"tool": st.sampled_from(["send-mail", "pay", "x"])},
    optional={
        name: {"String": st.sampled_from(["on", "x", "0.5"]), "Long": st.integers(0, 2), "Set<String>": TEXTS}[kind]
        for name, kind in ACT_FIELDS.items()
        if name != "tool"
    },
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CONDITIONS, max_size=3), min_size=1, max_size=4), st.lists(CONTEXTS, min_size=1, max_size=4))
def test_table_engine_and_slices_agree(rules: list[list[tuple[str, str, Any]]], contexts: list[dict[str, Any]]) -> None:
    """Over drawn rules and contexts, attributes left out among them: what forbids is what all rules, unsliced, say."""
    every = [rule(*one, id=f"r{number}") for number, one in enumerate(rules)]
    restrictions = Restrictions(every)
    for context in contexts:
        said = [one.rule.id for one in restrictions.forbidding(context, RELEASE)]
        assert said == [one.rule.id for one in every if conditions_hold(one.rule.forbid, context)]
