"""Rule tflite-custom-op: a TensorFlow Lite model needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import look, sample

from watchword.inspect.facts import Verdict

FILES = sample("tflite-files.tflite")


def test_an_operator_of_nobody_is_suspicious() -> None:
    """An operator that is not built in must be linked from code that was not inspected."""
    data = FILES.replace(b"FlexReadFile", b"FlexIdentity").replace(b"FlexWriteFile", b"EvilTransform")
    assert [(f.rule, f.verdict) for f in look(data, "m.tflite").findings] == [("tflite-custom-op", Verdict.SUSPICIOUS)]


def test_an_operator_of_tensorflow_is_silent() -> None:
    """Flex operators are TensorFlow's own."""
    data = FILES.replace(b"FlexReadFile", b"FlexIdentity").replace(b"FlexWriteFile", b"FlexTranspose")
    assert look(data, "m.tflite").findings == []
