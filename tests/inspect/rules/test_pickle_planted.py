"""Rule pickle-planted: a constant in a pickle is itself a pickle that would act."""

from __future__ import annotations

import pickle

from inspect_samples import EVIL, found, told

from watchword.inspect.facts import Verdict


def test_a_payload_as_a_constant_is_suspicious() -> None:
    """A byte string that would run a command if somebody loaded it is told."""
    assert ("pickle-planted", Verdict.SUSPICIOUS) in told(pickle.dumps({"config": EVIL}), "m.pkl")


def test_a_harmless_pickle_as_a_constant_is_silent() -> None:
    """A pickle of numbers within a pickle acts on nothing."""
    assert found(pickle.dumps({"config": pickle.dumps({"weights": [1.0, 2.0]})}), "m.pkl") == set()
