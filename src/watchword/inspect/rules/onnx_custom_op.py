"""onnx-custom-op: an ONNX model needs operators that it does not define."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.onnx import OnnxFacts
from watchword.inspect.rules.rule import Rule

_KNOWN_DOMAINS_TEXT = """
    ai.onnx ai.onnx.ml ai.onnx.training ai.onnx.preview ai.onnx.preview.training com.microsoft com.microsoft.nchwc
    com.microsoft.experimental com.ms.internal.nhwc org.pytorch.aten com.microsoft.dml
"""
_KNOWN_DOMAINS = frozenset(_KNOWN_DOMAINS_TEXT.split()) | {""}


_LISTED = ("", "com.microsoft")
"""Domains whose operators are all in ``onnx_ops.txt`` (onnx 1.23, ONNX Runtime 1.32)."""

_BEFORE_ONNX_TEXT = """
    ATen Affine ConstantFill Crop DynamicSlice GRUUnit GivenTensorFill ImageScaler ParametricSoftplus Scale
    ScaledTanh com.microsoft::ATen FC LpNormalization MaxRoiPool Caffe2ConvTranspose Upsample SpatialBN
"""
"""Operators that exporters wrote before they had a domain for experiments."""


@cache
def _standard() -> frozenset[str]:
    text = resources.files("watchword.inspect.formats").joinpath("onnx_ops.txt").read_text("ascii")
    return frozenset(text.split()) | frozenset(_BEFORE_ONNX_TEXT.split())


def check(facts: OnnxFacts) -> Iterator[Oddity]:
    for (domain, op), offset in facts.ops.items():
        if not op or (domain, op) in facts.functions:
            continue
        listed = "" if domain in ("", "ai.onnx") else domain
        if domain not in _KNOWN_DOMAINS:
            message = f"needs the operator {op} of {domain}, which is not in the file"
            yield Oddity(RULE.id, offset, message, f"{domain}::{op}")
        elif listed in _LISTED and (f"{listed}::{op}" if listed else op) not in _standard():
            where = domain or "ONNX"
            yield Oddity(RULE.id, offset, f"needs the operator {op}, which {where} does not have", f"{domain}::{op}")


RULE = Rule(
    id="onnx-custom-op",
    title="The model needs operators that are native code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "Operators of the standard domains and of ONNX Runtime are known, and functions can be defined in the model. "
        "Any other operator is a shared library that the user is asked to register: native code, run at load and at "
        "inference, that is not part of what was inspected."
    ),
    remediation="Ask the supplier for the source of the operator library, or for a model without it.",
    reads=(OnnxFacts,),
    check=check,
)
