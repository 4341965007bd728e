"""Rule hdf5-outside: an HDF5 file holds bytes that belong to no part."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

MODEL = sample("hdf5-userblock.h5")


def test_bytes_behind_the_end_are_told() -> None:
    """HDF5 knows where the file ends, and does not mind what follows."""
    assert ("hdf5-outside", Verdict.SUSPICIOUS) in told(MODEL + b"bytes of nobody", "m.h5")


def test_an_empty_user_block_is_silent() -> None:
    """The room before the file that the format allows, left empty."""
    assert look(MODEL, "m.h5").findings == []
