"""Rule safetensors-header: a safetensors header has one meaning."""

from __future__ import annotations

from inspect_samples import found, safetensors, told

from watchword.inspect.facts import Verdict

W = b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def test_a_name_that_stands_twice_is_unreadable() -> None:
    """Readers differ in which of two entries of one name they take."""
    assert ("safetensors-header", Verdict.UNREADABLE) in told(
        safetensors(b'{"a":' + W + b',"a":' + W + b"}", b"\0" * 8), "m.safetensors"
    )


def test_a_name_that_stands_once_is_silent() -> None:
    """The same entry alone keeps the rules."""
    assert found(safetensors(b'{"a":' + W + b"}", b"\0" * 8), "m.safetensors") == set()
