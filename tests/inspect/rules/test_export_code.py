"""Rule export-code: an exported program holds text that the loader would evaluate."""

from __future__ import annotations

import json

from inspect_samples import look, told, zipped

from watchword.inspect.facts import Verdict


def exported(expression: str) -> bytes:
    """An archive of ``torch.export`` with one operator and one size."""
    graph = {"nodes": [{"target": "torch.ops.aten.relu.default"}], "sizes": [{"as_expr": {"expr_str": expression}}]}
    text = json.dumps({"graph_module": {"graph": graph}, "guards_code": [], "torch_version": "2.13.0"})
    return zipped(("ep/archive_format", b"pt2"), ("ep/models/model.json", text.encode()), ("ep/byteorder", b"little"))


def test_a_size_that_imports_is_told() -> None:
    """``sympify`` evaluates the text of a size."""
    data = exported("__import__('os').system('true')")
    assert told(data, "m.pt2") == {("export-code", Verdict.DANGEROUS)}


def test_a_size_that_computes_is_silent() -> None:
    """Arithmetic on symbols is what sizes are."""
    data = exported("Max(2, s0)*FloorDiv(s1, 2) + 1")
    assert look(data, "m.pt2").findings == []
