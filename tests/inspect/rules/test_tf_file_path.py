"""Rule tf-file-path: a file operator of a TensorFlow graph goes to a fixed place outside of the model."""

from __future__ import annotations

from inspect_samples import field, look

from watchword.inspect.facts import Verdict


def graph(op: bytes, constant: bytes) -> bytes:
    """A SavedModel of one node with this operator and one constant text."""
    value = field(5, field(1, b"value") + field(2, field(8, field(8, constant))))
    nodes = field(1, field(1, b"n") + field(2, op)) + field(1, field(1, b"c") + field(2, b"Const") + value)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def test_a_saver_that_goes_to_a_fixed_place_is_dangerous() -> None:
    """A constant path beside a saver is written to, whoever runs the graph."""
    findings = look(graph(b"SaveV2", b"/etc/cron.d/x"), "saved_model.pb").findings
    assert [(f.rule, f.verdict) for f in findings] == [("tf-file-path", Verdict.DANGEROUS)]


def test_a_saver_s_own_folder_is_silent() -> None:
    """The part of a name that savers put behind the given folder leads nowhere else."""
    assert look(graph(b"SaveV2", b"_temp/part"), "saved_model.pb").findings == []
