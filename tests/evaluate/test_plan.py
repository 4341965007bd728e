"""Plans: what is refused, what is said about those that cannot show what they claim."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate.planned import DATA, RELEASE, plan

from watchword.evaluate.plan import BadPlan, lint, parse, parse_toml
from watchword.statements.digests import DJ

TOML = """
name = "digits under PGD"
n = 200
[subject]
interface = "onnx"
entry = "model.onnx"
[data]
form = "arrays"
select = "all"
rule = "500 held out"
[threat]
goal = "any other class"
knowledge = "white box"
norm = "Linf"
eps = "0.10"
units = "of range 1"
[attack]
name = "pgd"
parameters = { steps = 40 }
[metric]
name = "robust-accuracy"
threshold = "0.40"
estimand = "the population"
"""


def test_a_plan_in_toml_becomes_one_object_with_one_digest() -> None:
    """What may be null may be left out; subject and data are filled in by what is at hand; the digest is of all."""
    made = parse_toml(TOML.encode(), "plan.toml", RELEASE, DATA)
    assert (made.subject.release, made.data.digest, made.seeds, made.threat.queries) == (RELEASE, DATA, 1, None)
    assert made.method() == "pgd (steps 40)"
    assert made.capability() == "Linf 0.10 of range 1; any number of queries; not adaptive"
    assert made.digest == DJ(made.value()) == parse(made.value(), "again").digest


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        ("threat", {"eps": None}, "go together"), ("threat", {"edits": "typos"}, "either a norm"),
        ("threat", {"eps": "0"}, "above 0"), ("threat", {"eps": "1e9"}, "eps"), ("threat", {"eps": 0.1}, "str"),
        ("attack", {"name": "magic"}, "no attack"), ("attack", {"name": "edits"}, "needs a set of edits"),
        ("data", {"form": "texts"}, "is for arrays"), ("metric", {"threshold": "1"}, "between 0 and 1"),
        ("metric", {"threshold": "NaN"}, "threshold"), ("n", 0, "n"), ("n", 10**9, "n"), ("seeds", 0, "seeds"),
        ("curve", ["-1"], "curve"), ("data", {"digest": "sha256:0"}, "digest"), ("data", {"more": 1}, "more"),
    ],
)  # fmt: skip
def test_a_plan_that_contradicts_itself_is_refused(part: str, change: Any, says: str) -> None:
    """Named, before anything runs."""
    with pytest.raises(BadPlan, match=says):
        plan(**{part: change})


@pytest.mark.parametrize("data", [b"\xff", b"a = [", b"n = 1", b"[" * 100_000, b"#" * 300_000])
def test_what_is_no_plan_is_refused_by_name(data: bytes) -> None:
    """Hostile files end in one named error."""
    with pytest.raises(BadPlan, match=r"plan\.toml"):
        parse_toml(data, "plan.toml")


def test_n_that_cannot_support_the_threshold_is_told() -> None:
    """0 of 200 still allows 1.8 %: a plan that wants at most 1 % is told that it takes 368."""
    (found,) = lint(plan(n=200, metric={"name": "attack-success-rate", "threshold": "0.01"}))
    assert (found.id, found.text) == (
        "n-too-small", "0 of 200 still allows 0.0183, and the threshold is 0.01: it takes 368",
    )  # fmt: skip
    assert lint(plan(n=368, metric={"name": "attack-success-rate", "threshold": "0.01"})) == []


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"threat": {"knowledge": "black box"}}, "knowledge"),
        ({"attack": {"name": "square"}}, "no-budget"),
        ({"attack": {"name": "noise"}}, "weak"),
        ({"attack": {"name": "hopskipjump"}, "threat": {"queries": 1000}}, "weak"),
        ({"attack": {"parameters": {"steps": 5}}}, "weak"),
        ({"subject": {"interface": "open-inference"}}, "no-gradients"),
        ({"data": {"select": "right"}}, "selection"),
        ({}, "one-attack"),
    ],
)
def test_what_will_not_convince_is_told(changes: dict[str, Any], id: str) -> None:
    """Each weakness has its name."""
    assert id in [one.id for one in lint(plan(n=100, **changes))]
