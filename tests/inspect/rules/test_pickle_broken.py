"""Rule pickle-broken: the pickle cannot be read to its end."""

from __future__ import annotations

import pickle

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_pickle_that_breaks_off_is_unreadable() -> None:
    """A pickle that ends within a text is told."""
    assert ("pickle-broken", Verdict.UNREADABLE) in told(pickle.dumps({"a": [1.0], "b": "text"})[:-4], "m.pkl")


def test_a_whole_pickle_is_silent() -> None:
    """The same object to its last byte."""
    assert found(pickle.dumps({"a": [1.0], "b": "text"}), "m.pkl") == set()
