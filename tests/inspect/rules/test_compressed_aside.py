"""Rule compressed-aside: a compressed stream carries bytes that decoders pass over."""

from __future__ import annotations

import gzip
import struct

import zstandard
from inspect_samples import look, told

from watchword.inspect.facts import Verdict

SKIPPED = struct.pack("<LL", 0x184D2A53, 20) + b"nobody unpacks these"
PICKLE = b"\x80\x02N."


def test_a_frame_that_decoders_skip_is_told() -> None:
    """A skippable frame of zstd is in the file and not in what is unpacked."""
    data = SKIPPED + zstandard.compress(PICKLE)
    assert told(data, "m.pkl") == {("compressed-aside", Verdict.SUSPICIOUS)}


def test_the_name_of_the_packed_file_is_silent() -> None:
    """gzip keeps the name of what it packed, which is ordinary."""
    packed = gzip.compress(PICKLE)
    assert look(packed[:3] + b"\x08" + packed[4:10] + b"model.pkl\0" + packed[10:], "m.pkl").findings == []
