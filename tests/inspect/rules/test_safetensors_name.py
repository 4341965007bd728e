"""Rule safetensors-name: no name of a tensor leads out of a folder."""

from __future__ import annotations

from inspect_samples import found, safetensors, told

from watchword.inspect.facts import Verdict

W = b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def test_a_tensor_named_like_a_path_is_told() -> None:
    """Tools that write a file for each tensor would write outside."""
    assert ("safetensors-name", Verdict.SUSPICIOUS) in told(
        safetensors(b'{"../../x":' + W + b"}", b"\0" * 8), "m.safetensors"
    )


def test_dots_and_slashes_in_a_name_are_silent() -> None:
    """A name may have dots and slashes that lead nowhere."""
    assert found(safetensors(b'{"layers..0/x":' + W + b"}", b"\0" * 8), "m.safetensors") == set()
