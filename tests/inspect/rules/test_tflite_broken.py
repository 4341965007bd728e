"""Rule tflite-broken: references inside a TensorFlow Lite model lead out of it."""

from __future__ import annotations

from inspect_samples import look, sample

from watchword.inspect.facts import Verdict


def test_an_offset_that_leads_out_is_unreadable() -> None:
    """Interpreters follow the first offset of the file blindly."""
    data = sample("tflite-dense.tflite")
    findings = look(b"\xff\xff\xff\x7f" + data[4:], "m.tflite").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tflite-broken", Verdict.UNREADABLE)]


def test_a_whole_model_is_silent() -> None:
    """The same model as TensorFlow converted it."""
    assert look(sample("tflite-dense.tflite"), "m.tflite").findings == []
