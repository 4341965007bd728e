"""Rule zip-aside: comments or extra fields of a zip archive hold what no writer puts there."""

from __future__ import annotations

import struct

from inspect_samples import EVIL, look, told, zipped

from watchword.inspect.facts import Verdict


def commented(comment: bytes) -> bytes:
    """An archive with this comment."""
    return zipped(("a.txt", b"hello"))[:-2] + struct.pack("<H", len(comment)) + comment


def test_a_pickle_in_a_comment_is_suspicious() -> None:
    """Readers pass over the comment, so that what is in it travels unseen."""
    assert ("zip-aside", Verdict.SUSPICIOUS) in told(commented(EVIL), "a.zip")


def test_a_comment_of_words_is_silent() -> None:
    """What comments are for raises no alarm."""
    assert look(commented(b"made on a Tuesday"), "a.zip").findings == []
