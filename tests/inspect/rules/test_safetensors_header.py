"""Rule safetensors-header: a safetensors header has one meaning."""

from __future__ import annotations

from inspect_samples import found, look, safetensors

from watchword.inspect.facts import Verdict

W = b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def test_a_name_that_stands_twice_is_unreadable() -> None:
    """Readers differ in which of two entries of one name they take."""
    told = {
        (finding.rule, finding.verdict)
        for finding in look(safetensors(b'{"a":' + W + b',"a":' + W + b"}", b"\0" * 8), "m.safetensors").findings
    }
    assert ("safetensors-header", Verdict.UNREADABLE) in told


def test_a_name_that_stands_once_is_silent() -> None:
    """The same entry alone keeps the rules."""
    assert found(safetensors(b'{"a":' + W + b"}", b"\0" * 8), "m.safetensors") == set()
