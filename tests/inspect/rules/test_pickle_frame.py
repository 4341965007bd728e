"""Rule pickle-frame: frames cut through opcodes, so unpicklers disagree."""

from __future__ import annotations

import pickle

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_frame_that_ends_within_an_opcode_is_suspicious() -> None:
    """A frame of one byte ends within the text that it begins."""
    cut = b"\x80\x04\x95" + (1).to_bytes(8, "little") + b"X\4\0\0\0abcd."
    assert ("pickle-frame", Verdict.SUSPICIOUS) in told(cut, "m.pkl")


def test_frames_of_pickle_itself_are_silent() -> None:
    """What the pickler of Python writes ends its frames between opcodes."""
    assert found(pickle.dumps(["abcd"] * 30_000, 4), "m.pkl") == set()
    assert found(pickle.dumps(list(range(30_000)), 5), "m.pkl") == set()
