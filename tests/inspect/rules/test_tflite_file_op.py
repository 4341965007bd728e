"""Rule tflite-file-op: a TensorFlow Lite model reaches files, the network or Python."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

FILES = sample("tflite-files.tflite")


def test_a_model_that_reads_and_writes_files_is_dangerous() -> None:
    """Each operator that reaches a file is told, as TensorFlow converted them."""
    assert told(FILES, "m.tflite") == {("tflite-file-op", Verdict.DANGEROUS)}


def test_the_same_model_with_operators_that_compute_is_silent() -> None:
    """Flex operators that only compute raise no alarm."""
    data = FILES.replace(b"FlexReadFile", b"FlexIdentity").replace(b"FlexWriteFile", b"FlexTranspose")
    assert look(data, "m.tflite").findings == []
