"""onnx-external-data: an ONNX model reads its weights from outside of its folder."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.formats.onnx import OnnxFacts
from watchword.inspect.rules.rule import Rule


def check(facts: OnnxFacts) -> Iterator[Oddity]:
    for location, offset in facts.external.items():
        if leads_out(location):
            message = f"a tensor is read from {location!r}, outside of the model's folder"
            yield Oddity(RULE.id, offset, message, location)


RULE = Rule(
    id="onnx-external-data",
    title="The model reads tensors from outside of its folder",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0010.003"),
    why=(
        "ONNX may keep tensors in other files, named by a path relative to the model. An absolute path, a URL or one "
        "through .. makes the loader read any file that it may read, and hand its bytes on as weights."
    ),
    remediation="Do not load the model. Ask the supplier to save it with its tensors inside or beside it.",
    reads=(OnnxFacts,),
    check=check,
)
