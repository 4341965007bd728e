"""onnx-external-key: A tensor of an ONNX model says more about its data than the format knows."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.onnx import OnnxFacts
from watchword.inspect.rules.rule import Rule

_NUMBERS = ("offset", "length")


def check(facts: OnnxFacts) -> Iterator[Oddity]:
    for entry, offset in facts.external_keys.items():
        key, _, value = entry.partition("=")
        if key in _NUMBERS and value.isascii() and value.isdigit():
            continue
        if key != "checksum":
            yield Oddity(RULE.id, offset, f"external data with {entry!r}", entry)


RULE = Rule(
    id="onnx-external-key",
    title="A tensor of an ONNX model says more about its data than the format knows",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "External data has a location, an offset, a length and a checksum. Readers that set whatever else is "
        "named as an attribute of their own objects let the file decide what is in them, and a length or "
        "offset that is no number is read differently by each."
    ),
    remediation="Ask the supplier to save the model again.",
    reads=(OnnxFacts,),
    check=check,
)
