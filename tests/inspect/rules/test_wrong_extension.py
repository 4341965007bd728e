"""Rule wrong-extension: a file is something else than its name says."""

from __future__ import annotations

import pickle

from inspect_samples import look

from watchword.inspect.facts import Verdict


def test_a_pickle_that_is_called_an_array_is_suspicious() -> None:
    """Tools that go by the name would pass over it."""
    findings = look(pickle.dumps(1), "a.npy").findings
    assert [(f.rule, f.verdict) for f in findings] == [("wrong-extension", Verdict.SUSPICIOUS)]


def test_a_pickle_by_a_name_that_promises_nothing_is_silent() -> None:
    """Pickles are called so by many tools."""
    assert look(pickle.dumps(1), "a.bin").findings == []
