"""Seeds and samples against the vectors, which were made by other code; and what a draw must not depend on."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from watchword.chance import interval_text, same_rate
from watchword.evaluate.draw import order, randomness, seed_of, texts

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "evaluation" / "draws.json").read_text("utf-8"))
SEED = "sha256:" + "5" * 64


@pytest.mark.parametrize("one", VECTORS["draws"], ids=lambda one: f"{one['size']} {one['purpose']}")
def test_seed_and_sample_are_those_of_the_protocol(one: dict[str, object]) -> None:
    """Whoever writes this again from the page gets the same."""
    made = seed_of(*(one[name] for name in ("statement", "origin", "size", "root", "purpose")))  # type: ignore[arg-type]
    assert made == one["seed"]
    assert order(made, 12) == one["sample"]


def test_intervals_and_comparisons_are_those_of_the_protocol() -> None:
    """Exact fractions give the same four digits."""
    for one in VECTORS["intervals"]:
        assert interval_text(one["k"], one["n"]) == (one["low"], one["high"])
    for one in VECTORS["replications"]:
        assert f"{same_rate(*one['counts']):.6f}" == one["p"]


def test_every_instance_is_drawn_once() -> None:
    """A sample is an order of the whole population; another seed is another order."""
    assert sorted(order(SEED, 1000)) == list(range(1000))
    assert order(SEED, 1000) != order("sha256:" + "6" * 64, 1000)
    with pytest.raises(ValueError, match="more than"):
        order(SEED, 10**7)


def test_randomness_is_of_the_instance_and_not_of_its_turn() -> None:
    """Asked in any order, an instance has its own numbers; another purpose has others."""
    first = randomness(SEED, 3, "pgd").normal(size=4).tolist()
    randomness(SEED, 2, "pgd").normal(size=100)
    assert randomness(SEED, 3, "pgd").normal(size=4).tolist() == first
    assert randomness(SEED, 3, "square").normal(size=4).tolist() != first
    assert list(islice(texts(SEED, 3, "typos"), 3)) == list(islice(texts(SEED, 3, "typos"), 3))
