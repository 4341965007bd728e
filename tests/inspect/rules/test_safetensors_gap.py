"""Rule safetensors-gap: tensors cover the data of a safetensors file."""

from __future__ import annotations

from inspect_samples import found, safetensors, told

from watchword.inspect.facts import Verdict

HEADER = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'


def test_a_byte_after_the_last_tensor_is_told() -> None:
    """One byte that no tensor owns is a place to hide."""
    assert ("safetensors-gap", Verdict.SUSPICIOUS) in told(safetensors(HEADER, b"\0" * 9), "m.safetensors")


def test_data_that_is_covered_is_silent() -> None:
    """The same header with as many bytes as it names."""
    assert found(safetensors(HEADER, b"\0" * 8), "m.safetensors") == set()
