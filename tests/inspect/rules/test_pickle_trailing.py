"""Rule pickle-trailing: bytes follow the end of the pickle."""

from __future__ import annotations

import pickle

from inspect_samples import found, told, torch_legacy

from watchword.inspect.facts import Verdict


def test_bytes_of_nobody_after_the_end_are_suspicious() -> None:
    """A loader never looks at what stands behind the end."""
    assert ("pickle-trailing", Verdict.SUSPICIOUS) in told(pickle.dumps({"a": 1}) + b"\xfe\xed" * 20, "m.pkl")


def test_raw_numbers_that_the_format_puts_there_are_silent() -> None:
    """PyTorch before 1.6 wrote its numbers behind the pickles, and each is accounted for."""
    assert found(torch_legacy(), "m.pt") == set()
