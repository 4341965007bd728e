"""The inspector against the corpus that is written by hand: nothing once judged rightly may be judged wrongly again."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.inspect import floor, own
from benchmarks.inspect.corpus.cases import Placed, place, read

EXECUTED_RECALL_MIN = 0.98
Judged = tuple[list[Placed], dict[str, str]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    root = tmp_path_factory.mktemp("corpus")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate names that are the attack
        place(floor.by_hand(), root)
    cases = list(read(root))
    return cases, own.verdicts(cases)


def test_nothing_falls_below_the_floor(judged: Judged) -> None:
    """Every case once caught is caught, every benign case once quiet is quiet, none crashes."""
    assert floor.lost(*judged) == []


def test_pickles_that_were_seen_to_run_are_caught(judged: Judged) -> None:
    """Of the pickles whose payload the sandboxed loader ran, as good as all raise an alarm.

    Other formats are measured, not promised here: see the benchmark's row on recall.
    """
    cases, said = judged
    pickles = {case.id for case in cases if case.loader.startswith("pickle")}
    executed = set(floor.read()["executed"]) & pickles
    caught = {key for key in executed if own.alarmed(said[key])}
    assert len(executed) > 200
    assert len(caught) >= EXECUTED_RECALL_MIN * len(executed), sorted(executed - caught)


def test_a_case_that_falls_is_named(judged: Judged) -> None:
    """Fails when the floor is not compared: one verdict turned round must be reported by its id."""
    cases, said = judged
    key = floor.read()["caught"][0]
    assert floor.lost(cases, {**said, key: "nothing-found"}) == [f"{key}: once caught, now nothing-found"]
    quiet = floor.read()["quiet"][0]
    turned = floor.lost(cases, {**said, quiet: "dangerous"})
    assert not any(case.id == quiet for case in cases) or turned == [f"{quiet}: once quiet, now dangerous"]
