"""Rule hdf5-broken: an HDF5 file is not well-formed."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

MODEL = sample("keras-dense.h5")


def test_a_file_that_breaks_off_is_told() -> None:
    """A quarter of the file is not the file."""
    assert ("hdf5-broken", Verdict.UNREADABLE) in told(MODEL[:5_000], "m.h5")


def test_a_whole_file_is_silent() -> None:
    """What Keras writes is followed to its last object."""
    assert look(MODEL, "m.h5").findings == []
