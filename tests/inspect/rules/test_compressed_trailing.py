"""Rule compressed-trailing: bytes follow the end of a compressed stream."""

from __future__ import annotations

import gzip

from inspect_samples import look, told

from watchword.inspect.facts import Verdict

PICKLE = b"\x80\x02]."


def test_bytes_behind_the_stream_are_told() -> None:
    """Decompression ends before them, and no loader looks at them."""
    data = gzip.compress(PICKLE) + b"tail of bytes"
    assert ("compressed-trailing", Verdict.SUSPICIOUS) in told(data, "m.pkl")


def test_a_stream_in_two_members_is_silent() -> None:
    """A second member of gzip is part of the stream."""
    data = gzip.compress(PICKLE[:2]) + gzip.compress(PICKLE[2:])
    assert look(data, "m.pkl").findings == []
