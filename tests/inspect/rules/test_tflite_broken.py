"""Rule tflite-broken: references inside a TensorFlow Lite model lead out of it."""

from __future__ import annotations

from pathlib import Path

from inspect_samples import look

from watchword.inspect.facts import Verdict

SAMPLES = Path(__file__).parents[1] / "samples"


def test_an_offset_that_leads_out_is_unreadable() -> None:
    """Interpreters follow the first offset of the file blindly."""
    data = (SAMPLES / "tflite-dense.tflite").read_bytes()
    findings = look(b"\xff\xff\xff\x7f" + data[4:], "m.tflite").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tflite-broken", Verdict.UNREADABLE)]


def test_a_whole_model_is_silent() -> None:
    """The same model as TensorFlow converted it."""
    assert look((SAMPLES / "tflite-dense.tflite").read_bytes(), "m.tflite").findings == []
