"""Rule hdf5-beside: weights of Keras take data from a file beside them."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict


def test_weights_that_link_to_a_neighbour_are_told() -> None:
    """Keras never writes such a link."""
    data = sample("keras-link.weights.h5")
    assert told(data, "m.weights.h5") == {("hdf5-beside", Verdict.SUSPICIOUS)}


def test_a_table_that_links_to_a_neighbour_is_silent() -> None:
    """In files that are no model of Keras, links are ordinary."""
    data = sample("hdf5-link.h5").replace(b"/etc/other.h5", b"./a/other0.h5")
    assert look(data, "m.h5").findings == []
