"""Free policies that never forbid, or always, are found by trying every request that they can tell apart."""

from __future__ import annotations

import pytest

pytest.importorskip("z3", reason="policy check needs z3-solver")

from watchword.policy.caveat import check_free
from watchword.policy.free import holes


def free(when: str, scope: str = "principal, action == Action::\"admit\", resource") -> str:
    text = f'@id("a") @accountable("official") @text("t")\nforbid ({scope}) when {{ {when} }};'
    check_free(text, "caveat")
    return text


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ('context.criticality >= 2 && context.tags.contains("x")', None),
        ("context.criticality >= 4", "never-crossed"),
        ('context.human == "in" && context.human == "out"', "never-crossed"),
        ('context.tags == ["x"] && context.tags.contains("y")', "never-crossed"),
        ('context.tags.containsAll(["x", "y"]) && !context.tags.containsAny(["y"])', "never-crossed"),
        ('context.criticality >= 0', "forbids-everything"),
        ('context.tags.contains("x") || !context.tags.contains("x")', "forbids-everything"),
        ('context.tags.isEmpty() || context.owner != "ALFA"', None),
        ('if context.owner == "ALFA" then context.criticality > 3 else context.owner == "ALFA"', "never-crossed"),
        ('context.suppliers == ["AQUILA"]', None),
    ],
)
def test_what_never_or_always_forbids_is_found(when: str, found: str | None) -> None:
    """By the engine's own answers, with an example; what forbids some and not all stays silent."""
    findings, unclear = holes("ours", free(when))
    assert [(one.id, one.rules) for one in findings] == ([(found, ("ours:a",))] if found else [])
    assert unclear == []


def test_a_scope_counts_as_a_condition() -> None:
    """A policy about one use case or one release forbids some and not all, whatever else it says."""
    for scope in (
        'principal == UseCase::"court", action == Action::"admit", resource',
        'principal, action == Action::"admit", resource == Release::"sha256:9c"',
    ):
        assert holes("ours", free("true", scope)) == ([], [])
        assert [one.id for one in holes("ours", free("context.criticality > 3", scope))[0]] == ["never-crossed"]


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ('context.owner like "A*"', "like"),
        ("context.tags == context.members", "two fields"),
        ('resource == Release::"sha256:9c"', "resource"),
        (" || ".join(f'context.tags.contains("{n}")' for n in range(13)), "4,096"),
        (" || ".join(f'context.{f}.contains("{n}")' for f in ("tags", "members") for n in range(6)), "4,096"),
    ],
)
def test_what_is_not_looked_at_is_told(when: str, why: str) -> None:
    """Nothing is concluded of it."""
    found, [(name, reason)] = holes("ours", free(f"({when}) && context.criticality > 3"))
    assert (found, name) == ([], "ours:a") and why in reason
    found, [(name, reason)] = holes("ours", free("true", 'principal, action == Action::"act", resource'))
    assert (found, reason) == ([], "policies about actions are not looked at")
