"""Rule openvino-custom-op: an OpenVINO network needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import found, sample, told

from watchword.inspect.facts import Verdict

DENSE = sample("openvino-dense.xml")


def test_an_operator_of_a_set_of_its_own_is_suspicious() -> None:
    """An operator of no set that OpenVINO brings along is a library."""
    other = DENSE.replace(b'type="ReLU" version="opset1"', b'type="Evil" version="extension"')
    assert ("openvino-custom-op", Verdict.SUSPICIOUS) in told(other, "m.xml")


def test_what_openvino_saves_is_silent() -> None:
    """Operators of the sets of OpenVINO need no library."""
    assert found(DENSE, "m.xml") == set()
