"""Rule hdf5-elsewhere: an HDF5 file takes data from outside of its folder."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

LINK = sample("hdf5-link.h5")


def test_a_link_to_a_file_of_the_machine_is_told() -> None:
    """Whatever stands at the path would be handed on as weights."""
    assert told(LINK, "m.h5") == {("hdf5-elsewhere", Verdict.DANGEROUS)}


def test_a_link_to_a_file_below_is_silent() -> None:
    """The same link to a file that is delivered beside it."""
    data = LINK.replace(b"/etc/other.h5", b"./a/other0.h5")
    assert look(data, "m.h5").findings == []
