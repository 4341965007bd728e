"""Rule compressed-broken: a compressed stream is damaged."""

from __future__ import annotations

import gzip

from inspect_samples import look, told

from watchword.inspect.facts import Verdict

PICKLE = gzip.compress(b"\x80\x02].")


def test_a_stream_that_breaks_off_is_told() -> None:
    """The last bytes of the stream, with its checksum, are missing."""
    assert told(PICKLE[:-6], "m.pkl") == {("compressed-broken", Verdict.UNREADABLE)}


def test_a_whole_stream_is_silent() -> None:
    """The same stream to its end is nothing odd."""
    assert look(PICKLE, "m.pkl").findings == []
