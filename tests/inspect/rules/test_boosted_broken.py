"""Rule boosted-broken: a model of boosted trees is not well-formed."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

MODEL = sample("xgboost.ubj")


def test_a_model_of_trees_that_goes_on_after_its_end_is_told() -> None:
    """A byte that belongs to no part of the model was not seen by anybody."""
    assert told(MODEL + b"\0", "m.ubj") == {("boosted-broken", Verdict.UNREADABLE)}


def test_the_model_that_the_framework_saves_is_silent() -> None:
    """What XGBoost writes is read to its last byte."""
    assert look(MODEL, "m.ubj").findings == []
