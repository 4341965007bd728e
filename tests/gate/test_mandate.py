"""A mandate reaches exactly as far as it is written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watchword.gate.action import new_action
from watchword.gate.mandate import BadMandate, covering_rule, parse_mandate, read_mandate, uncovered, within_hours
from watchword.statements.times import FixedClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RELEASE = "sha256:" + "9c" * 32
NOBODY = {"count": 0, "distinct": "operators", "role": ""}


def rule(**changes: Any) -> dict[str, Any]:
    value = {"id": "r", "tool": "t", "args": [], "approvals": NOBODY, "hold_s": 0, "quota": None, "unclean": None}
    return value | changes


def mandate(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": "m", "decision": "sha256:" + "1" * 64, "use_case": "sha256:" + "2" * 64,
        "valid_from": "2026-01-31T12:00:00Z", "valid_until": "2026-02-01T12:00:00Z", "hours": None,
        "view_max_age_s": 60, "stale": "deny", "probes": None, "rules": list(rules) or [rule()],
    } | changes  # fmt: skip


def covers(args: list[dict[str, Any]], given: dict[str, Any], tool: str = "t") -> bool:
    action = new_action(tool, given, RELEASE, "s", FixedClock(NOON))
    return covering_rule(parse_mandate(mandate(rule(args=args))), action) is not None


def one(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("args", "given", "covered"),
    [
        ([], {}, True),
        ([], {"x": 1}, False),
        ([one("x", "==", 1)], {"x": 1}, True),
        ([one("x", "==", 1)], {"x": 1, "bcc": "evil"}, False),
        ([one("x", "==", 1)], {}, False),
        ([one("x", "==", 1)], {"x": "1"}, False),
        ([one("x", "==", 1)], {"x": True}, False),
        ([one("x", "==", 1)], {"x": 1.5}, False),
        ([one("x", "<", 5)], {"x": [1]}, False),
        ([one("x", "<", "5")], {"x": "4.5"}, True),
        ([one("x", "<", "5")], {"x": "5.0"}, False),
        ([one("x", "<", "5")], {"x": "4e0"}, False),
        ([one("x", "!=", "a")], {"x": None}, False),
        ([one("x", "in", ["a", "b"])], {"x": "b"}, True),
        ([one("x", "in", ["a", "b"])], {"x": ["a"]}, False),
        ([one("x", "in", ["a"])], {"x": "\u0430"}, False),
        ([one("x", "any")], {"x": {"y": 1.5}}, True),
        ([one("x", "any")], {}, False),
        ([one("x", "<=", 9), one("x", ">=", 1)], {"x": 0}, False),
    ],
)
def test_what_is_not_written_is_not_covered(args: list[dict[str, Any]], given: dict[str, Any], covered: bool) -> None:
    """An argument that no condition names, a type that does not fit, a value outside: none is covered."""
    assert covers(args, given) is covered


def test_a_rule_covers_the_tool_that_it_names_and_no_other() -> None:
    """The same arguments of another tool are another action. Fails when the tool is not compared."""
    assert covers([one("x", "any")], {"x": 1}) and not covers([one("x", "any")], {"x": 1}, "t2")
    two = parse_mandate(mandate(rule(id="a", tool="u", args=[one("x", "any")]), rule(id="b", args=[one("x", "any")])))
    found = covering_rule(two, new_action("t", {"x": 1}, RELEASE, "s", FixedClock(NOON)))
    assert found is not None and found.id == "b"


def test_a_dotted_argument_cannot_slip_past_its_condition() -> None:
    """A condition on ``x.y`` would look inside ``x``: no mandate has such a name, no argument so named is covered."""
    with pytest.raises(BadMandate, match="not the name of an argument"):
        parse_mandate(mandate(rule(args=[one("x.y", "any")])))
    assert not covers([one("x", "any")], {"x.y": 1})
    assert not covers([one("x", "any")], {"x": {"y": 1}, "x.y": 2})


def test_the_first_rule_that_covers_applies() -> None:
    """Order decides between a rule that asks people and one that does not."""
    strict = rule(
        id="a", args=[one("x", "==", 1)], approvals={"count": 1, "distinct": "operators", "role": "c"}, hold_s=9
    )
    loose = rule(id="b", args=[one("x", "any")])
    both = parse_mandate(mandate(strict, loose))
    for value, expected in ((1, "a"), (2, "b")):
        found = covering_rule(both, new_action("t", {"x": value}, RELEASE, "s", FixedClock(NOON)))
        assert found is not None
        assert found.id == expected


def test_a_refusal_says_what_is_missing() -> None:
    """The reason names the tool, the argument, or the limit."""
    known = parse_mandate(mandate(rule(args=[one("x", "==", 1)])))
    for tool, args, words in (("u", {}, "tool"), ("t", {"x": 1, "y": 2}, "'y'"), ("t", {"x": 2}, "outside")):
        assert words in uncovered(known, new_action(tool, args, RELEASE, "s", FixedClock(NOON)))


@pytest.mark.parametrize(
    "value",
    [
        mandate(valid_until="2026-01-31T12:00:00Z"),
        mandate(valid_from="2026-02-30T12:00:00Z"),
        mandate(hours={"from": "08:00", "to": "08:00"}),
        mandate(hours={"from": "24:00", "to": "08:00"}),
        mandate(view_max_age_s=0),
        mandate(view_max_age_s=True),
        mandate(stale="allow"),
        mandate(stale={"for_s": 60, "rules": ["other"]}),
        mandate(stale={"for_s": 60, "rules": []}),
        mandate(rule(), rule()),
        mandate(rule(args=[one("x", "~", 1)])),
        mandate(rule(args=[one("x", "<", "five")])),
        mandate(rule(args=[one("x", "in", [])])),
        mandate(rule(approvals={"count": 2, "distinct": "people", "role": "c"})),
        mandate(rule(approvals={"count": 2, "distinct": "operators", "role": ""}, hold_s=60)),
        mandate(rule(approvals={"count": 2, "distinct": "operators", "role": "c"})),
        mandate(rule(quota={"count": 0, "per_s": 60})),
        mandate(rule(more=1)),
        mandate(rules=[]),
        mandate(more=1),
        {"name": "m"},
        [],
        None,
    ],
)
def test_a_mandate_that_cannot_mean_what_it_says_is_refused(value: Any) -> None:
    """Unknown fields, times that never come, rules that contradict each other: no mandate, so no authority."""
    with pytest.raises(BadMandate):
        parse_mandate(value)


@pytest.mark.parametrize(
    ("begins", "ends", "at", "inside"),
    [
        ("08:00", "18:00", "08:00", True), ("08:00", "18:00", "17:59", True), ("08:00", "18:00", "18:00", False),
        ("22:00", "04:00", "23:00", True), ("22:00", "04:00", "03:59", True), ("22:00", "04:00", "04:00", False),
        ("22:00", "04:00", "12:00", False), ("22:00", "04:00", "22:00", True), ("22:00", "04:00", "21:59", False),
        ("08:00", "18:00", "07:59", False),
    ],
)  # fmt: skip
def test_hours_end_and_cross_midnight(begins: str, ends: str, at: str, inside: bool) -> None:
    """The end is outside; hours past midnight are the two ends of the day."""
    known = parse_mandate(mandate(hours={"from": begins, "to": ends}))
    moment = NOON.replace(hour=int(at[:2]), minute=int(at[3:]))
    assert within_hours(known, moment) is inside
    assert within_hours(parse_mandate(mandate()), moment), "a mandate without hours has all of them"


WRITTEN = """
name = "border-watch"
valid_for_s = 28800
view_max_age_s = 3600
[[rules]]
id = "human-before-slew"
tool = "slew-camera"
args = [{field = "target", op = "in", value = ["tower-12"]}, {field = "azimuth_deg", op = "any"}]
approvals = {count = 2, role = "commander"}
[[rules]]
id = "read"
tool = "read-mail"
"""


def test_a_person_writes_only_what_matters(tmp_path: Path) -> None:
    """Defaults are the careful ones: nothing on a stale view, no quota left out silently, no argument uncovered."""
    path = tmp_path / "m.toml"
    path.write_text(WRITTEN, "utf-8")
    draft = read_mandate(path)
    assert draft.valid_for_s == 28800
    assert draft.value["stale"] == "deny"
    assert draft.value["rules"][0]["approvals"] == {"count": 2, "distinct": "operators", "role": "commander"}
    assert draft.value["rules"][0]["args"][1]["value"] is None
    assert draft.value["rules"][1]["args"] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("valid_for_s = 28800", "", "either valid_until or valid_for_s"),
        ("valid_for_s = 28800", "valid_for_s = 0", "seconds"),
        ("valid_for_s = 28800", "valid_until = 2026-02-01T12:00:00", "time zone"),
        ("valid_for_s = 28800", 'valid_for_s = 60\nvalid_from = "noon"', "time"),
        ("count = 2", "count = -1", "count"),
        ('op = "any"', 'op = "like"', "operator"),
        ('name = "border-watch"', 'name = "border-watch"\ncolour = "red"', "colour"),
        ('name = "border-watch"', 'name = "border-watch"\nuse_case = "x"', "use_case"),
        ('tool = "read-mail"', "", "tool"),
        ("[[rules]]", "[[rule]]", "rule"),
        ("name", "name = =", "TOML"),
    ],
)
def test_a_slip_of_the_pen_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    """The error names the file and the field."""
    path = tmp_path / "m.toml"
    path.write_text(WRITTEN.replace(old, new), "utf-8")
    with pytest.raises(BadMandate, match=words) as caught:
        read_mandate(path)
    assert caught.value.message.startswith(str(path))
